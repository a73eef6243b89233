"""Kinds of errors to HTTP statuses: the one table (moby: api/server/httpstatus/status.go)."""

from __future__ import annotations

from node import errors
from node.api.http import Response, json_response

STATUSES: dict[type[errors.NodeError], int] = {
    errors.InvalidParameter: 400,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Forbidden: 403,
    errors.Unavailable: 503,
    errors.NotModified: 304,
    errors.NotImplemented: 501,
    errors.Failed: 500,
}


def error_response(error: errors.NodeError) -> Response:
    """The answer to a request that failed."""
    status = next((status for kind, status in STATUSES.items() if isinstance(error, kind)), 500)
    if status == 304:
        return Response(status)
    return json_response({"message": str(error)}, status)
