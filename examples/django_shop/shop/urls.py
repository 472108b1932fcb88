"""Which address is which view."""

from django.urls import path

from . import views, webhooks

urlpatterns = [
    path("orders", views.order),
    path("orders/async", views.order_async),
    path("users/<str:customer>", views.page),
    path("users/<str:customer>/pledges/<int:escrow_id>/cancellation", views.cancel),
    path("wallets/<int:wallet_id>/balance", views.balance),
    path("webhooks/payment", webhooks.payment),
]
