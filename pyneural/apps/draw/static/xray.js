"use strict";
/* xray.js -- the X-ray tab: shows what the server says of an image.  Uses page.js. */

let examining = 0; // the number of the newest X-ray

function select(name) {
  for (const one of ["digits", "xray"]) {
    $(one).hidden = one !== name;
    $(`tab-${one}`).ariaSelected = String(one === name);
    $(`tab-${one}`).tabIndex = one === name ? 0 : -1;
  }
  document.title = `${name === "xray" ? "Examine an X-ray" : "Draw a digit"} · pyneural`;
}

for (const name of ["digits", "xray"]) {
  $(`tab-${name}`).addEventListener("click", () => select(name));
  $(`tab-${name}`).addEventListener("keydown", (event) => {
    if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    const other = name === "xray" ? "digits" : "xray";
    select(other);
    $(`tab-${other}`).focus();
  });
}

async function examine(file) {
  if (!file || $("xray-choose").disabled) return;
  const number = ++examining;
  URL.revokeObjectURL($("xray-image").src);
  $("xray-image").src = URL.createObjectURL(file);
  $("xray-image").hidden = false;
  $("xray-hint").hidden = true;
  $("xray-heat").hidden = true;
  showFinding("reading …", "", "none");
  try {
    const found = await backend.examine(file);
    if (number === examining) showXray(found);
  } catch (error) {
    if (number !== examining) return;
    $("xray-image").hidden = true;
    $("xray-hint").hidden = false;
    showFinding("no answer", sentence(error), "none");
    showNumbers(null);
  }
}

function showFinding(label, verdict, kind) {
  $("xray-label").textContent = label;
  $("xray-label").className = `finding ${kind}`;
  $("xray-verdict").textContent = verdict;
}

function showNumbers(found) {
  $("xray-fill").style.setProperty("--share", found ? found.probability : 0);
  $("xray-probability").textContent = found ? `${(100 * found.probability).toFixed(1)} %` : "–";
  $("xray-notes").hidden = !found?.notes.length;
  $("xray-notes").textContent = (found?.notes ?? []).map((note) => note[0].toUpperCase() + note.slice(1) + ".").join(" ");
}

function showXray(found) {
  showFinding(found.label, sentence(new Error(found.verdict)), found.label === found.positive ? "" : "negative");
  showNumbers(found);
  $("xray-heat").hidden = !found.heat;
  if (found.heat) show($("xray-heat"), found.heat, warm);
}

$("xray-choose").addEventListener("change", (event) => {
  examine(event.target.files[0]);
  event.target.value = "";
});
$("xray-opacity").addEventListener("input", (event) => $("film").style.setProperty("--opacity", event.target.value / 100));

async function prepareXray() {
  const facts = await backend.xray();
  $("xray-missing").hidden = facts.available;
  for (const card of $("xray").querySelectorAll("section:not(#xray-missing)")) card.hidden = !facts.available;
  if (!facts.available) {
    $("xray-choose").disabled = true;
    $("xray-file").textContent = facts.file;
    $("xray-command").textContent = facts.command;
    return;
  }
  for (const name of document.querySelectorAll(".positive")) name.textContent = facts.classes[1];
  $("xray-threshold").textContent = `${(100 * facts.threshold).toFixed(1)} %`;
  $("xray-mark").style.setProperty("--at", facts.threshold);
  $("xray-caveat").textContent = facts.caveat;
  $("xray-model").textContent = `${facts.name}, trained on ${facts.trained_on}`;
  showFinding("no image yet", "", "none");
}
