"use strict";
/* alone.js -- the network behind the page is in the page: a worker runs it (worker.js), and localStorage keeps digits.
 *
 * The page carries everything as text: #worker is the worker's script, #facts is JSON, and #module, #weights, #images and
 * #labels are base64, all but the weights of gzip.
 */

const KEPT = "pyneural.digits";
const MOST = 1000; // digits in localStorage
const LONGEST = 1024; // pixels: the longer side that a digit's preparation works on
const MOST_PIXELS = 25_000_000;

const facts = JSON.parse(document.getElementById("facts").textContent);

// ---- the worker

const waiting = new Map();
const listeners = {};
let worker = null;
let questions = 0;
let broken = null; // why the worker does not answer

function answered({ data: { id, value, error, event } }) {
  if (event) {
    listeners[event]?.(value);
    return;
  }
  const { done, failed } = waiting.get(id);
  waiting.delete(id);
  if (error === undefined) done(value);
  else failed(new Error(error));
}

function stopped() {
  broken = new Error("this browser, or the site that the page is on, lets no worker run: save the page as a file, and open that");
  for (const { failed } of waiting.values()) failed(broken);
  waiting.clear();
}

function startWorker() {
  const script = new Blob([document.getElementById("worker").textContent], { type: "text/javascript" });
  try {
    worker = new Worker(URL.createObjectURL(script));
    worker.onmessage = answered;
    worker.onerror = stopped;
  } catch {
    stopped();
  }
}

function askWorker(name, ...values) {
  return new Promise((done, failed) => {
    if (broken) throw broken;
    questions++;
    waiting.set(questions, { done, failed });
    worker.postMessage({ id: questions, name, values });
  });
}

// ---- what the page carries

const bytesOf = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

function take(id) {
  const element = document.getElementById(id);
  const bytes = bytesOf(element.textContent);
  element.remove(); // it is large
  return bytes;
}

async function unzipped(id) {
  const stream = new Blob([take(id)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// The smallest module with an instruction on 128-bit vectors: a function that makes one and drops it.
const VECTORS = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 9, 1, 7, 0, 65, 0, 253, 15, 26, 11);

function checkBrowser() {
  const missing = [
    [globalThis.WebAssembly, "WebAssembly"],
    [globalThis.WebAssembly?.validate(VECTORS), "WebAssembly with vectors"],
    [globalThis.DecompressionStream, "DecompressionStream"],
  ].find(([has]) => !has);
  if (missing) {
    throw new Error(`this browser has no ${missing[1]}: use a newer one (Chrome or Edge 91, Firefox 113, Safari 16.4, or later)`);
  }
}

async function opened() {
  checkBrowser();
  startWorker();
  const [module, images, labels] = await Promise.all(["module", "images", "labels"].map(unzipped));
  const { train } = facts; // how many of the digits are for training; the others are the test
  const part = (from, to) => ({ x: images.slice(784 * from, 784 * to), y: labels.slice(from, to) });
  const digits = { train: part(0, train), test: part(train, labels.length) };
  return askWorker("open", { module, model: take("weights"), digits, mean: facts.mean });
}

const opening = opened();
opening.catch(() => {}); // each call says why

async function call(name, ...values) {
  await opening;
  return askWorker(name, ...values);
}

// ---- images

/** What the engine prepares: the drawing, or the pixels of an image file. */
async function pixelsOf(subject) {
  if (!(subject instanceof Blob)) {
    const side = Math.sqrt(subject.length);
    return { pixels: subject, height: side, width: side, channels: 1 };
  }
  const bitmap = await createImageBitmap(subject);
  if (bitmap.width * bitmap.height > MOST_PIXELS) {
    throw new Error(`the image has ${(bitmap.width * bitmap.height).toLocaleString("en")} pixels: scale it down first`);
  }
  const factor = Math.max(1, Math.floor(Math.max(bitmap.width, bitmap.height) / LONGEST));
  const width = Math.ceil(bitmap.width / factor);
  const height = Math.ceil(bitmap.height / factor);
  const pen = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d");
  pen.imageSmoothingQuality = "high";
  pen.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return { pixels: new Uint8Array(pen.getImageData(0, 0, width, height).data.buffer), height, width, channels: 4 };
}

const plane = (values) => values && { height: 28, width: 28, values };

// ---- the digits that are kept

let kept = []; // {label, text}: the pixels as base64; the oldest first
let stores = true; // whether localStorage has them all

function restored() {
  try {
    const found = JSON.parse(localStorage.getItem(KEPT) ?? "[]");
    return found.filter(({ label, text }) => DIGITS.includes(label) && bytesOf(text).length === 784).slice(0, MOST);
  } catch {
    return []; // the browser keeps nothing, or what it kept was not ours
  }
}

/** What other pages have kept meanwhile, too. */
function refresh() {
  if (stores) kept = restored();
}

function keep(digits) {
  kept = digits;
  try {
    localStorage.setItem(KEPT, JSON.stringify(kept));
    stores = true;
  } catch {
    stores = false;
  }
  return stores;
}

addEventListener("storage", ({ key }) => {
  if (key !== KEPT && key !== null) return;
  refresh();
  showGallery();
});

function own() {
  const x = new Uint8Array(784 * kept.length);
  kept.forEach(({ text }, i) => x.set(bytesOf(text), 784 * i));
  return { x, y: Uint8Array.from(kept, ({ label }) => label) };
}

// ---- what the page asks

const backend = {
  async model() {
    refresh();
    return { name: facts.name, ...(await opening) };
  },

  async accuracy() {
    return { ...(await call("accuracy")), data: facts.test, note: facts.note };
  },

  async predict(subject, shows) {
    const found = await call("predict", await pixelsOf(subject), shows);
    if (found.isEmpty) throw new Error(facts.sentences.empty);
    const notes = Object.keys(found.warnings).filter((name) => found.warnings[name]);
    return { ...found, input: plane(found.digit), notes: notes.map((name) => facts.sentences[name]) };
  },

  examples: async () => kept.map(({ label, text }) => ({ id: `${label}${text}`, label, input: plane(bytesOf(text)) })).reverse(),

  async keep(subject, label) {
    const { digit, isEmpty } = await call("predict", await pixelsOf(subject), []);
    if (isEmpty) throw new Error(facts.sentences.empty);
    const text = btoa(String.fromCharCode(...digit));
    refresh();
    if (kept.some((one) => one.label === label && one.text === text)) return {};
    if (kept.length >= MOST) throw new Error(`${MOST.toLocaleString("en")} digits are kept, which is the most: delete some first`);
    return keep([...kept, { label, text }]) ? {} : { until: " until you close the page, as this browser stores nothing for it" };
  },

  async remove(id) {
    refresh();
    keep(kept.filter(({ label, text }) => `${label}${text}` !== id));
  },

  learn(progress) {
    listeners.learning = progress;
    return call("learn", own());
  },
  undo: () => call("undo"),

  train(seed, progress) {
    listeners.training = progress;
    return call("train", seed);
  },
  use: async (which) => ({ name: which === "made" ? "the network trained here" : facts.name, ...(await call("use", which)) }),
};
