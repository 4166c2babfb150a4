// Shows how far an upload is. Without this script the same form is sent by the browser itself.
"use strict";

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[data-upload]") || !window.XMLHttpRequest) return;
  event.preventDefault();

  const status = form.querySelector("[data-status]");
  const transfer = form.querySelector("[data-transfer]");
  const bar = transfer.querySelector("progress");
  const buttons = form.querySelectorAll("button");
  const data = new FormData(form);
  if (event.submitter && event.submitter.name) data.append(event.submitter.name, event.submitter.value);

  const request = new XMLHttpRequest();
  const busy = (isBusy) => {
    transfer.hidden = !isBusy;
    buttons.forEach((button) => (button.disabled = isBusy));
  };
  request.upload.addEventListener("progress", (progress) => {
    if (progress.lengthComputable) bar.value = (100 * progress.loaded) / progress.total;
  });
  request.addEventListener("load", () => {
    if (request.responseURL !== form.action) {
      window.location.assign(request.responseURL);
      return;
    }
    // The same step with what is wrong, or an error page: shown in place.
    const answer = new DOMParser().parseFromString(request.responseText, "text/html");
    document.title = answer.title;
    document.querySelector("main").replaceWith(answer.querySelector("main"));
    (document.querySelector("#errors") || document.querySelector("main")).focus();
  });
  request.addEventListener("error", () => {
    busy(false);
    status.textContent = "The upload was interrupted. Check your connection and try again.";
  });
  status.textContent = "Uploading…";
  busy(true);
  request.open("POST", form.action);
  request.send(data);
});
