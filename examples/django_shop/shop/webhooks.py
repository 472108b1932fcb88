"""What the payment provider tells us: twice, out of order, or both at the same time."""

import hmac
import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import psycopg
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

import pgwallet

from .ledger import run_atomic

Moved = pgwallet.Deposit | pgwallet.Withdrawal

MOVEMENTS: dict[str, Callable[..., Moved]] = {
    "payment.succeeded": pgwallet.deposit,
    "payment.charged_back": pgwallet.withdraw,
}


@csrf_exempt
@require_POST
def payment(request: HttpRequest) -> HttpResponse:
    """Answers 200 once the money has moved, by this delivery or by an earlier one."""
    if not _is_signed(request):
        return HttpResponse("wrong signature", status=400)
    event = json.loads(request.body)
    if event["type"] not in MOVEMENTS:
        return HttpResponse("not for us")
    # What the ledger refuses becomes a 4xx in the middleware, and the provider tries again.
    moved = run_atomic(lambda conn: _move(conn, event))
    return JsonResponse({"transaction_id": moved.transaction_id, "replayed": moved.replayed})


def _move(conn: psycopg.Connection, event: Any) -> Moved:
    wallet = pgwallet.create_wallet(conn, event["customer"], event["currency"]).wallet_id
    amount = Decimal(event["amount"])
    key = f"provider/{event['id']}"
    move = MOVEMENTS[event["type"]]
    moved = move(
        conn,
        wallet,
        amount,
        idempotency_key=key,
        metadata={"payment": event["payment"]},
        effective_at=datetime.fromisoformat(event["occurred_at"]),
    )
    if event["type"] == "payment.succeeded":
        # A key of its own: two calls cannot share one.
        pgwallet.allocate_deposit(conn, wallet, amount, idempotency_key=f"{key}/split")
    return moved


def _is_signed(request: HttpRequest) -> bool:
    """The provider's own rule; most have a library that checks it, and how old the event is."""
    expected = hmac.digest(settings.WEBHOOK_SECRET.encode(), request.body, "sha256").hex()
    # As bytes: a text that is not ASCII would be an error.
    return hmac.compare_digest(request.headers.get("Signature", "").encode(), expected.encode())
