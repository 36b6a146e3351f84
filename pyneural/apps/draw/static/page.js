"use strict";
/* page.js -- draws, asks a network, and shows its answers.
 *
 * The network is behind `backend`: the server's (server.js), or one in this page (web/alone.js).
 * A drawing is a list of strokes in units of the paper's side, so it can be painted at any size.  What the network is
 * asked about is the subject: the drawing, as SIDE x SIDE grey pixels, or an image file that was opened.  At most one
 * request is under way; what was drawn meanwhile is asked about next, so the newest drawing wins.
 */

const SIDE = 140;
const WIDTH = 0.07; // of a stroke, where the paper's side is 1
const DIGITS = [...Array(10).keys()];
const IDLE = 1500; // milliseconds without drawing, after which the accuracy is asked for
const PAUSE = 400; // milliseconds without drawing, after which the answer is read out

const $ = (id) => document.getElementById(id);
const canvas = $("canvas");
const small = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE });
const smallPen = small.getContext("2d", { willReadFrequently: true });

let strokes = [];
let picture = null; // an image file that was opened: {file, bitmap}
let version = 0; // of the subject, to drop answers to what has been cleared

function sentence(error) {
  return error.message[0].toUpperCase() + error.message.slice(1) + ".";
}

// ---- painting

function path(stroke, side) {
  const line = new Path2D();
  const at = (i) => [stroke[i][0] * side, stroke[i][1] * side];
  line.moveTo(...at(0));
  if (stroke.length === 1) line.lineTo(at(0)[0] + 0.01, at(0)[1]);
  for (let i = 1; i < stroke.length - 1; i++) {
    const [x, y] = at(i);
    const [nextX, nextY] = at(i + 1);
    line.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
  }
  if (stroke.length > 1) line.lineTo(...at(stroke.length - 1));
  return line;
}

function paint(pen, side, ink) {
  pen.lineWidth = WIDTH * side;
  pen.lineCap = pen.lineJoin = "round";
  pen.strokeStyle = ink;
  for (const stroke of strokes) pen.stroke(path(stroke, side));
}

function paintPaper() {
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, canvas.width, canvas.height);
  if (picture) {
    const { width, height } = picture.bitmap;
    const scale = Math.min(canvas.width / width, canvas.height / height);
    pen.imageSmoothingQuality = "high";
    pen.drawImage(picture.bitmap, (canvas.width - width * scale) / 2, (canvas.height - height * scale) / 2, width * scale, height * scale);
  }
  paint(pen, canvas.width, getComputedStyle(canvas).color);
}

let painting = 0;
function repaint() {
  painting ||= requestAnimationFrame(() => {
    painting = 0;
    paintPaper();
  });
}

function fitPaper() {
  const side = Math.round(canvas.clientWidth * devicePixelRatio);
  if (side && side !== canvas.width) canvas.width = canvas.height = side;
  paintPaper();
}

/** Shows a plane on a canvas; `colour` makes red, green, blue and alpha of a value. */
function show(target, { height, width, values }, colour) {
  if (target.width !== width || target.height !== height) Object.assign(target, { width, height });
  const image = new ImageData(width, height);
  values.forEach((value, i) => image.data.set(colour(value), 4 * i));
  target.getContext("2d").putImageData(image, 0, 0);
}

const grey = (value) => [value, value, value, 255];
const warm = (value) => {
  const t = value / 255;
  return [255, Math.round(200 - 150 * t), Math.round(60 * (1 - t)), Math.round(235 * t)];
};

// ---- the subject, and the answer to it

const isEmpty = () => !strokes.length && !picture;
const isXray = () => $("xray")?.hidden === false; // only the server's page has that tab

function subject() {
  if (picture) return picture.file;
  smallPen.clearRect(0, 0, SIDE, SIDE);
  paint(smallPen, SIDE, "#fff");
  const { data } = smallPen.getImageData(0, 0, SIDE, SIDE);
  const bytes = new Uint8Array(SIDE * SIDE);
  for (let i = 0; i < bytes.length; i++) bytes[i] = data[4 * i + 3];
  return bytes;
}

let asking = false;
let isNewer = false;

async function predict() {
  isNewer = true;
  if (asking) return;
  asking = true;
  try {
    while (isNewer && !isEmpty()) {
      isNewer = false;
      const asked = version;
      const wanted = ["input"];
      if ($("show-heat").checked) wanted.push("heat");
      if ($("show-features").checked) wanted.push("features");
      try {
        const answer = await backend.predict(subject(), wanted);
        if (asked === version) showAnswer(answer);
      } catch (error) {
        if (asked === version) showNothing(sentence(error));
      }
    }
  } finally {
    asking = false;
  }
}

function changed() {
  $("undo").disabled = $("clear").disabled = isEmpty();
  $("hint").hidden = !isEmpty();
  for (const button of $("choices").children) button.disabled = isEmpty();
  repaint();
  if (isEmpty()) {
    version++;
    showNothing("");
  } else {
    predict();
  }
}

let telling = 0;
function tell(text) {
  clearTimeout(telling);
  telling = setTimeout(() => ($("status").textContent = text), PAUSE);
}

const percent = (share) => (share > 0.999 ? "> 99.9 %" : `${(100 * share).toFixed(1)} %`);

function showAnswer(answer) {
  $("label").textContent = answer.label;
  $("label").classList.toggle("unsure", answer.confidence < 0.5);
  $("sure").textContent = `${percent(answer.confidence)} sure`;
  $("note").textContent = (answer.notes ?? []).map((note) => note[0].toUpperCase() + note.slice(1) + ".").join(" ");
  showBars(answer.probabilities, answer.label);
  tell(`${answer.label}, ${percent(answer.confidence)} sure`);
  show($("input"), answer.input, grey);
  $("heat").hidden = !answer.heat;
  if (answer.heat) show($("heat"), answer.heat, warm);
  showMaps(answer.features);
}

function showNothing(why) {
  $("label").textContent = "?";
  $("label").classList.add("unsure");
  $("sure").textContent = why ? "not a digit" : "nothing yet";
  $("note").textContent = why;
  showBars(DIGITS.map(() => 0), null);
  tell(why);
  show($("input"), { height: 28, width: 28, values: new Uint8Array(784) }, grey);
  $("heat").hidden = true;
  showMaps(null);
}

function showBars(probabilities, label) {
  probabilities.forEach((share, digit) => {
    const bar = $("bars").children[digit];
    bar.classList.toggle("top", digit === label);
    bar.querySelector(".fill").style.setProperty("--share", share.toFixed(4));
    bar.querySelector(".share").textContent = share >= 0.005 ? `${Math.round(100 * share)}%` : "";
  });
}

function showMaps(planes) {
  const list = $("features");
  list.hidden = !planes;
  if (!planes) return;
  while (list.children.length > planes.length) list.lastChild.remove();
  planes.forEach((plane, i) => {
    if (!list.children[i]) list.append(document.createElement("li"));
    const item = list.children[i];
    if (!item.firstChild) {
      item.append(Object.assign(document.createElement("canvas"), { role: "img", ariaLabel: `Map ${i + 1}` }));
    }
    show(item.firstChild, plane, grey);
  });
}

// ---- drawing

let drawing = null; // the pointer that draws

function point(event) {
  const box = canvas.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
}

canvas.addEventListener("pointerdown", (event) => {
  if (drawing !== null || event.button !== 0) return;
  event.preventDefault();
  canvas.focus({ preventScroll: true });
  canvas.setPointerCapture(event.pointerId);
  drawing = event.pointerId;
  if (picture) forget();
  strokes.push([point(event)]);
  changed();
});

canvas.addEventListener("pointermove", (event) => {
  if (event.pointerId !== drawing) return;
  const events = event.getCoalescedEvents?.() ?? [];
  strokes.at(-1).push(...(events.length ? events : [event]).map(point));
  changed();
});

for (const end of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(end, (event) => {
    if (event.pointerId === drawing) drawing = null;
  });
}

function forget() {
  picture?.bitmap.close();
  picture = null;
  strokes = [];
  version++;
}

function clear() {
  forget();
  changed();
}

function undo() {
  if (picture) forget();
  else strokes.pop();
  changed();
}

async function open(file) {
  if (!file) return;
  try {
    const bitmap = await createImageBitmap(file);
    forget();
    picture = { file, bitmap };
    changed();
  } catch {
    clear();
    showNothing("This file is not an image that can be shown: choose a PNG or JPEG.");
  }
}

$("clear").addEventListener("click", clear);
$("undo").addEventListener("click", undo);
$("file").addEventListener("change", (event) => {
  open(event.target.files[0]);
  event.target.value = "";
});

for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    $(isXray() ? "film" : "paper").classList.toggle("over", kind === "dragover");
    if (kind === "drop") (isXray() ? examine : open)(event.dataTransfer.files[0]);
  });
}

document.addEventListener("keydown", (event) => {
  if (isXray() || event.altKey || event.target.closest("input, select, textarea")) return;
  const command = event.ctrlKey || event.metaKey;
  if (command && event.key.toLowerCase() === "z") undo();
  else if (command) return;
  else if (event.key === "Escape" || event.key === "Delete") clear();
  else if (/^\d$/.test(event.key) && !isEmpty()) correct(Number(event.key));
  else return;
  event.preventDefault();
});

for (const id of ["show-heat", "show-features"]) $(id).addEventListener("change", () => isEmpty() || predict());

// ---- teaching

async function correct(digit) {
  try {
    const { until = "" } = await backend.keep(subject(), digit);
    $("told").textContent = `Kept as a ${digit}${until}. Draw more, or let the network learn.`;
    clear();
    await showGallery();
  } catch (error) {
    $("told").textContent = sentence(error);
  }
}

async function showGallery() {
  const digits = await backend.examples();
  $("gallery").replaceChildren(
    ...digits.map(({ id, label, input }) => {
      const item = document.createElement("li");
      const image = Object.assign(document.createElement("canvas"), { role: "img", ariaLabel: `Your ${label}` });
      show(image, input, grey);
      const name = Object.assign(document.createElement("b"), { textContent: label, ariaHidden: "true" });
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: "×", ariaLabel: `Delete this ${label}` });
      button.addEventListener("click", () => remove(id));
      item.append(image, name, button);
      return item;
    }),
  );
  const count = digits.length;
  $("learn").disabled = !count;
  $("learn").textContent = count ? `Learn ${count === 1 ? "this digit" : `these ${count} digits`}` : "Learn";
}

async function remove(id) {
  try {
    await backend.remove(id);
  } catch (error) {
    $("told").textContent = sentence(error);
  }
  await showGallery();
}

const interval = ({ value, low, high }) => `${(100 * value).toFixed(2)} % [${(100 * low).toFixed(2)}, ${(100 * high).toFixed(2)}]`;

/** Does something that takes a while once nobody has drawn for a while. */
function whenIdle(work) {
  const drawn = version + strokes.length;
  const wait = () => (drawing !== null || asking || version + strokes.length !== drawn ? whenIdle(work) : work());
  setTimeout(wait, IDLE);
}

function showModel(model) {
  $("model").textContent = `${model.name} · ${model.parameters.toLocaleString("en")} parameters`;
  $("show-features").closest("label").hidden = !model.first_maps;
}

function showAccuracy(accuracy) {
  const note = accuracy.note ? `, ${accuracy.note}` : "";
  $("accuracy").textContent = `Right on ${interval(accuracy)} of the ${accuracy.data}${note} (95 % interval).`;
}

$("learn").addEventListener("click", async () => {
  $("learn").disabled = true;
  $("told").textContent = "Learning …";
  try {
    const done = await backend.learn((share) => ($("told").textContent = `Learning … ${Math.round(100 * share)} %`));
    $("told").textContent =
      `Learnt in ${done.seconds.toFixed(1)} s: reads ${done.right_after} of your ${done.digits} right ` +
      `(before: ${done.right_before}). On test digits ${interval(done.accuracy_after)}, before ${interval(done.accuracy_before)}.`;
    $("unlearn").hidden = !done.can_undo;
    showAccuracy(await backend.accuracy());
  } catch (error) {
    $("told").textContent = sentence(error);
  }
  $("learn").disabled = !$("gallery").children.length;
  if (!isEmpty()) predict();
});

$("unlearn").addEventListener("click", async () => {
  try {
    const { can_undo } = await backend.undo();
    $("unlearn").hidden = !can_undo;
    $("told").textContent = "The network is as it was before it learnt your digits.";
    showAccuracy(await backend.accuracy());
  } catch (error) {
    $("told").textContent = sentence(error);
  }
  if (!isEmpty()) predict();
});

// ---- the beginning

for (const digit of DIGITS) {
  const bar = document.createElement("li");
  for (const part of ["share", "track", "name"]) bar.append(Object.assign(document.createElement("span"), { className: part }));
  bar.children[1].append(Object.assign(document.createElement("span"), { className: "fill" }));
  bar.children[2].textContent = digit;
  $("bars").append(bar);
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: digit, disabled: true });
  button.addEventListener("click", () => correct(digit));
  $("choices").append(button);
}

new ResizeObserver(fitPaper).observe(canvas);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paintPaper);

async function begin() {
  changed();
  try {
    const model = await backend.model();
    showModel(model);
    await showGallery();
    await globalThis.prepareXray?.();
    globalThis.prepareTraining?.();
    whenIdle(async () => showAccuracy(await backend.accuracy()));
  } catch (error) {
    $("note").textContent = sentence(error);
  }
}

document.addEventListener("DOMContentLoaded", begin); // once all scripts have run
