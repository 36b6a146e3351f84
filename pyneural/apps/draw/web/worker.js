"use strict";
/* worker.js -- answers the page, with the engine: predicts, learns, trains, and tests, beside the page's own thread.
 *
 * A message is {id, name, values}; the answer is {id, value} or {id, error}.  While it trains, it sends {event, value},
 * and answers other messages between two slices of training: drawings are read with the old weights meanwhile.
 */

const SLICE = 30; // milliseconds of training between two looks at the messages
const MOST_MAPS = 32;
const MOST_UNDOS = 20;

// What a learning takes: digits of MNIST, and the user's, repeated and changed at random.  As learning.py, but fewer.
const MNIST = 2000;
const OWN = 50;
const RATE = 0.001;
const CHANGES = [0.06, 8, 0.08, 0.08]; // shift, rotate, scale, shear

// Chosen on 1,000 of the sample's training digits, of 12 settings with 3 seeds each.
const FROM_NOTHING = { epochs: 10, rate: 0.002, batch: 32, isNew: true };

let engine = null;
let bytes = null; // of the model's file
let background = 0; // the mean pixel of the training images
let sample = null; // digits of MNIST: {train: {x, y}, test: {x, y}}
let ours = null; // the network of the file, and what it has learnt
let made = null; // the one that was trained from scratch
let isMade = false; // which of them answers
let undos = []; // snapshots
let busy = false;

const now = () => performance.now();
const answering = () => (isMade ? made : ours);

/** Lets waiting messages be answered. */
const channel = new MessageChannel();
const paused = [];
channel.port1.onmessage = () => paused.shift()();
function pause() {
  return new Promise((go) => {
    paused.push(go);
    channel.port2.postMessage(null);
  });
}

/** Runs a training in slices; tells `step` about each one. */
async function slices(steps, step) {
  let until = now() + SLICE;
  for (const done of steps) {
    step(done);
    if (now() < until) continue;
    await pause();
    until = now() + SLICE;
  }
}

async function alone(work) {
  if (busy) throw new Error("it is learning already: wait for a second");
  busy = true;
  try {
    return await work();
  } finally {
    busy = false;
  }
}

/** How many of the digits a network reads right, in slices. */
async function right(network, { x, y }) {
  let count = 0;
  for (let start = 0; start < y.length; start += 100) {
    const labels = y.subarray(start, start + 100);
    const found = network.predict(x.subarray(PIXELS * start, PIXELS * (start + labels.length)));
    labels.forEach((label, i) => (count += top(found, 10 * i) === label));
    await pause();
  }
  return count;
}

/** A share with its 95 % interval.  Source: Wilson, 1927. */
function estimate(count, of) {
  const z = 1.959963984540054;
  const share = count / of;
  const middle = (share + (z * z) / (2 * of)) / (1 + (z * z) / of);
  const half = (z / (1 + (z * z) / of)) * Math.sqrt((share * (1 - share)) / of + (z * z) / (4 * of * of));
  return { value: share, low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}

const tested = async (network) => estimate(await right(network, sample.test), sample.test.y.length);

/** Random numbers in 0 to n - 1, each once; the same for the same seed.  Source of the generator: mulberry32. */
function shuffled(n, seed) {
  const numbers = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), seed | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    const j = ((t ^ (t >>> 14)) >>> 0) % (i + 1);
    [numbers[i], numbers[j]] = [numbers[j], numbers[i]];
  }
  return numbers;
}

/** The user's digits among digits of MNIST. */
function mixed(own) {
  const rows = shuffled(sample.train.y.length, 0).slice(0, MNIST);
  const repeated = Array.from({ length: Math.max(OWN, own.y.length) }, (_, i) => i % own.y.length);
  const changed = new Uint8Array(PIXELS * repeated.length);
  repeated.forEach((row, i) => changed.set(own.x.subarray(PIXELS * row, PIXELS * (row + 1)), PIXELS * i));
  const x = new Uint8Array(PIXELS * (rows.length + repeated.length));
  rows.forEach((row, i) => x.set(sample.train.x.subarray(PIXELS * row, PIXELS * (row + 1)), PIXELS * i));
  x.set(engine.vary(changed, CHANGES, repeated.keys()), PIXELS * rows.length);
  const y = Uint8Array.from([...rows.map((row) => sample.train.y[row]), ...repeated.map((row) => own.y[row])]);
  return { x, y };
}

const methods = {
  async open({ module, model, digits, mean }) {
    engine = await Engine.start(module);
    bytes = model;
    background = mean;
    sample = digits;
    ours = engine.parse(model);
    return { parameters: ours.parameters, first_maps: ours.first !== null };
  },

  predict(image, shows) {
    const { digit, isEmpty, warnings } = engine.prepare(image);
    if (isEmpty) return { isEmpty };
    const network = answering();
    const probabilities = [...network.predict(digit)];
    const label = top(probabilities);
    return {
      label,
      confidence: probabilities[label],
      probabilities,
      warnings,
      digit,
      heat: shows.includes("heat") ? heatMap(network, digit, background) : null,
      features: shows.includes("features") ? network.maps(digit, MOST_MAPS) : null,
    };
  },

  learn(own) {
    return alone(async () => {
      if (isMade) throw new Error('the network trained here does not learn your digits: press "Draw with it" again first');
      if (!own.y.length) throw new Error("there is nothing to learn: correct an answer first");
      const before = await tested(ours);
      const before_right = await right(ours, own);
      const began = now();
      const learner = engine.parse(bytes);
      try {
        const old = ours.snapshot();
        learner.restore(old);
        const { x, y } = mixed(own);
        await slices(learner.train(x, y, { epochs: 1, rate: RATE }), ({ step, steps }) => {
          postMessage({ event: "learning", value: (step + 1) / steps });
        });
        undos = [...undos, old].slice(-MOST_UNDOS);
        ours.restore(learner.snapshot());
      } finally {
        learner.free();
      }
      return {
        seconds: (now() - began) / 1000,
        digits: own.y.length,
        right_before: before_right,
        right_after: await right(ours, own),
        accuracy_before: before,
        accuracy_after: await tested(ours),
        can_undo: true,
      };
    });
  },

  undo() {
    return alone(() => {
      if (!undos.length) throw new Error("there is nothing to undo");
      ours.restore(undos.pop());
      return { can_undo: undos.length > 0 };
    });
  },

  accuracy() {
    return tested(answering());
  },

  /** Trains the MLP from scratch on the sample; sends each step, and the accuracy after each epoch. */
  train(seed) {
    return alone(async () => {
      const began = now();
      const network = engine.fresh(seed);
      let loss = null;
      let epoch = 0;
      const { x, y } = sample.train;
      await slices(network.train(x, y, { ...FROM_NOTHING, seed }), (done) => {
        loss = loss === null ? done.loss : 0.95 * loss + 0.05 * done.loss;
        epoch = done.epoch;
        postMessage({ event: "training", value: { ...done, loss, epochs: FROM_NOTHING.epochs } });
      });
      const seconds = (now() - began) / 1000;
      if (made) {
        made.restore(network.snapshot()); // not freed: a test of it may go on
        network.free();
      } else {
        made = network;
      }
      return { seconds, epochs: epoch + 1, accuracy: await tested(made), digits: y.length };
    });
  },

  use(which) {
    isMade = which === "made" && made !== null;
    return { first_maps: answering().first !== null, parameters: answering().parameters };
  },
};

onmessage = async ({ data: { id, name, values } }) => {
  try {
    postMessage({ id, value: await methods[name](...values) });
  } catch (error) {
    postMessage({ id, error: error.message });
  }
};
