"""Orders, sync and async, and a look at a balance."""

from asgiref.sync import sync_to_async
from django import forms
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET, require_POST

import pgwallet

from .ledger import async_pool
from .models import Order
from .orders import place_order


class OrderForm(forms.Form):
    # Ask request.user in an application with users.
    customer = forms.CharField(max_length=100)
    project_id = forms.IntegerField()
    # A Decimal from the text, never a float. How many decimals are right the ledger knows.
    amount = forms.DecimalField()
    # Made by the client, once for each order that its user means to place.
    key = forms.CharField(max_length=80)


@require_POST
def order(request: HttpRequest) -> HttpResponse:
    form = OrderForm(request.POST)
    if not form.is_valid():
        return JsonResponse({"errors": form.errors}, status=400)
    return _answer(*place_order(**form.cleaned_data))


@require_POST
async def order_async(request: HttpRequest) -> HttpResponse:
    form = OrderForm(request.POST)
    if not form.is_valid():
        return JsonResponse({"errors": form.errors}, status=400)
    # Django has no transactions in async code: the whole of it runs in a thread, as one piece.
    return _answer(*await sync_to_async(place_order)(**form.cleaned_data))


@require_GET
async def balance(request: HttpRequest, wallet_id: int) -> HttpResponse:
    async with async_pool.connection() as conn:
        amount = await pgwallet.balance(conn, wallet_id)
    return JsonResponse({"balance": amount})


def _answer(placed: Order, created: bool) -> HttpResponse:
    return JsonResponse(
        {"order": placed.pk, "escrow_id": placed.escrow_id}, status=201 if created else 200
    )
