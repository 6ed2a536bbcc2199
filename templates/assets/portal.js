// What makes writing handier: uploads with progress that go on where they broke off, saving while one writes, a look at a
// number while it is typed. Every page works without it. It never makes markup out of text.
(() => {
  "use strict";
  const form = document.querySelector("form[data-draft]");
  if (!form) return;
  const here = form.dataset.draft;
  const token = form.elements.token.value;
  const PIECE = 64 * 1024 * 1024;
  const TRIES = 8;
  const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

  // --- A number, looked at while it is typed.
  const check = async (field) => {
    const said = document.getElementById(field.id + "-said");
    const body = new URLSearchParams({ token, tag: field.value });
    const answer = await fetch(field.dataset.check, { method: "POST", body }).catch(() => null);
    if (answer && answer.ok) said.textContent = await answer.text();
  };
  for (const field of form.querySelectorAll("[data-check]")) field.addEventListener("change", () => check(field));

  // --- What is written is saved from time to time.
  let changed = false;
  let uploads = 0;
  const saved = form.querySelector("[data-saved]");
  const keep = async () => {
    if (!changed) return;
    changed = false;
    const body = new FormData(form);
    for (const name of ["file", "do", "anyway", "template"]) body.delete(name);
    body.set("do", "keep");
    const answer = await fetch(here, { method: "POST", body, redirect: "manual" }).catch(() => null);
    if (answer && answer.ok) saved.textContent = await answer.text();
    else changed = true;
  };
  form.addEventListener("input", () => { changed = true; });
  setInterval(keep, 20000);
  let leaving = false;
  form.addEventListener("submit", () => { leaving = true; });
  window.addEventListener("beforeunload", (event) => {
    if (!leaving && (changed || uploads > 0)) event.preventDefault();
  });

  // --- Files.
  const list = form.querySelector("[data-files]");
  const input = form.querySelector("input[type=file]");
  const drop = form.querySelector(".drop");
  const sized = (bytes) => bytes < 1e6 ? Math.ceil(bytes / 1000) + " KB" : (bytes / 1e6).toFixed(1) + " MB";

  const line = (file) => {
    const item = document.createElement("li");
    const name = document.createElement("p");
    const state = document.createElement("span");
    const bar = document.createElement("progress");
    name.append(file.name + " ", state);
    state.className = "quiet";
    state.setAttribute("role", "status");
    bar.max = Math.max(file.size, 1);
    bar.setAttribute("aria-label", file.name);
    item.append(name, bar);
    list.append(item);
    return {
      progress: (bytes) => { bar.value = bytes; },
      say: (text) => { state.textContent = text; },
      done: (id) => {
        const remove = document.createElement("button");
        remove.className = "plain";
        remove.name = "do";
        remove.value = "remove-" + id;
        remove.formNoValidate = true;
        remove.textContent = list.dataset.remove;
        remove.setAttribute("aria-label", list.dataset.remove + " " + file.name);
        bar.replaceWith(remove);
        state.textContent = sized(file.size);
      },
      stop: (text) => { bar.remove(); state.className = "wrong"; state.textContent = text; },
    };
  };

  // One piece; resolves with how much the portal has, or with null where nobody answered.
  const put = (address, piece, offset, progress) => new Promise((done) => {
    const request = new XMLHttpRequest();
    request.open("PUT", address + "?offset=" + offset);
    request.setRequestHeader("X-Form-Token", token);
    request.upload.onprogress = (event) => progress(offset + event.loaded);
    request.onload = () => {
      const kept = Number.parseInt(request.responseText, 10);
      done((request.status === 200 || request.status === 409) && Number.isFinite(kept) ? kept : null);
    };
    request.onerror = request.onabort = () => done(null);
    request.send(piece);
  });

  const received = async (address) => {
    const answer = await fetch(address, { redirect: "manual" }).catch(() => null);
    return answer && answer.ok ? Number.parseInt(await answer.text(), 10) : null;
  };

  const upload = async (file) => {
    const shown = line(file);
    const about = new URLSearchParams({ name: file.name, size: file.size, type: file.type });
    const begun = await fetch(here + "/file?" + about, {
      method: "POST", headers: { "X-Form-Token": token }, redirect: "manual",
    }).catch(() => null);
    if (!begun || begun.status !== 201) {
      shown.stop(begun && begun.status === 413 ? await begun.text() : list.dataset.failed);
      return;
    }
    const id = await begun.text();
    const address = here + "/file/" + id;
    let offset = 0;
    let failures = 0;
    do {
      // A piece that does not end the file ends where the portal keeps it: nothing of it comes twice.
      const kept = await put(address, file.slice(offset, offset + PIECE), offset, shown.progress);
      if (kept !== null && kept > offset) { offset = kept; failures = 0; continue; }
      if (kept === file.size) break;
      failures += 1;
      if (failures > TRIES) { shown.stop(list.dataset.failed); return; }
      shown.say(list.dataset.resume);
      await pause(Math.min(500 * 2 ** failures, 15000));
      const known = await received(address);
      if (known !== null) offset = known;
    } while (offset < file.size || file.size === 0);
    shown.done(id);
  };

  const take = async (files) => {
    uploads += 1;
    for (const file of files) await upload(file);
    uploads -= 1;
  };
  input.addEventListener("change", () => {
    const files = [...input.files];
    input.value = "";
    take(files);
  });
  for (const name of ["dragenter", "dragover"]) {
    drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
  }
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    take([...event.dataTransfer.files]);
  });
})();

// What passkeys need of a browser: the question stands in the form, the answer goes back in it.
(() => {
  "use strict";
  const able = window.PublicKeyCredential && PublicKeyCredential.parseCreationOptionsFromJSON;
  for (const form of able ? document.querySelectorAll("form[data-passkey]") : []) {
    for (const part of form.querySelectorAll("[data-with]")) part.hidden = false;
    for (const part of form.querySelectorAll("[data-without]")) part.hidden = true;
    form.addEventListener("submit", async (event) => {
      if (form.elements.answer.value) return;
      event.preventDefault();
      const failed = form.querySelector("[data-failed]");
      failed.hidden = true;
      try {
        const options = JSON.parse(form.dataset.options);
        const key = form.dataset.passkey === "make"
          ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
          : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
        form.elements.answer.value = JSON.stringify(key.toJSON());
        form.submit();
      } catch { failed.hidden = false; }
    });
  }
})();
