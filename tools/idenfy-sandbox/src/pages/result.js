// Tells the page around this one what became of the session. Who that is, is not known here; nothing personal is told.
"use strict";

const message = document.querySelector("#message");
if (message && window.parent !== window) {
  window.parent.postMessage(JSON.parse(message.dataset.message), "*");
}
