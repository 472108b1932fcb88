"""Orders, sync and async, a user's page, and a look at a balance."""

from dataclasses import asdict

from asgiref.sync import sync_to_async
from django import forms
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET, require_POST

import pgwallet

from .ledger import async_pool, ledger
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
def page(request: HttpRequest, customer: str) -> HttpResponse:
    """What a user sees: each wallet with its pockets, its pledges and what moved last."""
    with ledger() as conn:
        accounts = [
            {
                "wallet": asdict(wallet),
                "pockets": [*map(asdict, pgwallet.list_pockets(conn, wallet.wallet_id))],
                "pledges": [*map(asdict, pgwallet.list_escrows(conn, wallet.wallet_id))],
                "movements": [
                    asdict(row)
                    for row in pgwallet.statement(
                        conn, wallet.wallet_id, limit=10, newest_first=True
                    )
                ],
            }
            for wallet in pgwallet.list_wallets(conn, customer)
        ]
    return JsonResponse({"accounts": accounts})


@require_POST
def cancel(request: HttpRequest, customer: str, escrow_id: int) -> HttpResponse:
    """Gives a pledge back while its project is open, and takes the order out of the shop."""
    with ledger() as conn:
        escrow = pgwallet.get_escrow(conn, escrow_id)
        wallets = pgwallet.list_wallets(conn, customer)
        if escrow.wallet_id not in [wallet.wallet_id for wallet in wallets]:
            return JsonResponse({"message": "this is none of your pledges"}, status=404)
        key = f"cancel-{escrow_id}"  # a pledge is cancelled once
        refund = pgwallet.cancel_pledge(conn, escrow_id, idempotency_key=key)
        Order.objects.filter(escrow_id=escrow_id).delete()
    return JsonResponse({"refunded": refund.refunded_amount, "balance": refund.balance})


@require_GET
async def balance(request: HttpRequest, wallet_id: int) -> HttpResponse:
    async with async_pool.connection() as conn:
        amount = await pgwallet.balance(conn, wallet_id)
    return JsonResponse({"balance": amount})


def _answer(placed: Order, created: bool) -> HttpResponse:
    return JsonResponse(
        {"order": placed.pk, "escrow_id": placed.escrow_id}, status=201 if created else 200
    )
