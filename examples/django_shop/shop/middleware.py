"""What the ledger refuses, as an answer over HTTP."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.deprecation import MiddlewareMixin

import pgwallet

# By the first digit of the SQLSTATE after PW.
STATUS = {
    "0": 422,  # malformed
    "1": 404,  # not found
    "2": 409,  # not in this state: funds, status, a key used for something else
    "3": 422,  # above a limit
    "9": 500,  # somebody has written into the ledger's tables
}


class RefusalsAsResponses(MiddlewareMixin):
    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, pgwallet.PgWalletError):
            return None
        # Without its detail: that has figures, such as a balance, which not everyone should see.
        return JsonResponse(
            {"code": exception.sqlstate, "message": exception.message},
            status=STATUS[exception.sqlstate[2]],
        )
