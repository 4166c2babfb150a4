"""Sends customers off to be verified and shows each where they stand."""

import logging
import threading
import uuid

import waitress
from flask import Flask, abort, redirect, render_template_string
from werkzeug.wrappers import Response

import customers
import settings
from outcomes import receive_outcomes
from sessions import NoSession, create_session

app = Flask(__name__)

PAGE = """<!doctype html>
<html lang="en">
<head>
  <meta name="viewport" content="width=device-width">
  {% if refresh %}<meta http-equiv="refresh" content="2">{% endif %}
  <title>{{ heading }}</title>
</head>
<body>
  <h1>{{ heading }}</h1>
  {% if button %}
  <form method="post" action="{{ action }}"><button>{{ button }}</button></form>
  {% endif %}
</body>
</html>
"""

HEADINGS = {
    "verified": "You are verified",
    "rejected": "Your documents were not accepted",
    "in review": "We are looking at your documents",
    "try again": "Please try again",
    "waiting": "We are waiting for your result",
    "new": "Please verify your identity",
}


@app.get("/")
def welcome() -> str:
    return render_template_string(PAGE, heading="Welcome", button="Sign up", action="/customers")


@app.post("/customers")
def sign_up() -> Response:
    customer = str(uuid.uuid4())
    customers.add(customer)
    return redirect(f"/customers/{customer}", 303)


@app.get("/customers/<customer>")
def show(customer: str) -> str:
    known = customers.find(customer) or abort(404)
    standing = known["standing"] or ("waiting" if known["scan_ref"] else "new")
    return render_template_string(
        PAGE,
        heading=HEADINGS[standing],
        refresh=standing in ("waiting", "in review"),
        button="Verify your identity" if standing in ("new", "waiting", "try again") else None,
        action=f"/customers/{customer}/verification",
    )


@app.post("/customers/<customer>/verification")
def verify(customer: str) -> Response:
    known = customers.find(customer) or abort(404)
    attempt = known["attempt"]
    here = f"{settings.PUBLIC_URL}/customers/{customer}"
    if known["standing"] not in (None, "try again"):
        return redirect(here, 303)
    if known["standing"] == "try again":
        attempt += 1
        customers.begin_anew(customer, attempt)
    # One key for each attempt. Whatever is pressed twice, reloaded or lost, one session is made.
    session = create_session(
        f"{customer}-{attempt}",
        {
            "clientId": customer,
            "successUrl": here,
            "errorUrl": here,
            "unverifiedUrl": here,
        },
    )
    customers.set_session(customer, session["scanRef"])
    return redirect(session["redirectUrl"], 303)


@app.errorhandler(NoSession)
def no_session(error: NoSession) -> tuple[str, int]:
    logging.error("no session: %s", error)
    heading = "That did not work. Please go back and try again."
    return render_template_string(PAGE, heading=heading), 502


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    threading.Thread(target=receive_outcomes, args=[customers.record], daemon=True).start()
    print(settings.PUBLIC_URL, flush=True)
    waitress.serve(app, host="127.0.0.1", port=settings.PORT)
