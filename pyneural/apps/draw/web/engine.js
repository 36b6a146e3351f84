"use strict";
/* engine.js -- the C engine in WebAssembly: models, the preparation of drawings, and training.
 *
 * csrc/web/web.c has the functions.  Arrays are copied in and out; memory is freed here.  Runs in a worker of the page,
 * and in node.
 */

const SIDE = 28;
const PIXELS = SIDE * SIDE;

/** The functions that the module imports: clocks; everything else that the C library may ask for is not there. */
function imports(module, memory) {
  const unknown = 52; // ENOSYS
  const known = {
    clock_time_get: (_clock, _precision, at) => {
      new DataView(memory().buffer).setBigUint64(at, BigInt(Math.round(1e6 * performance.now())), true);
      return 0;
    },
    proc_exit: () => {
      throw new Error("the engine stopped");
    },
  };
  const given = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    (given[from] ??= {})[name] = known[name] ?? (() => unknown);
  }
  return given;
}

class Engine {
  /** The engine from the bytes of engine.wasm. */
  static async start(bytes) {
    const engine = new Engine();
    const module = await WebAssembly.compile(bytes);
    const instance = await WebAssembly.instantiate(module, imports(module, () => engine.c.memory));
    engine.c = instance.exports;
    engine.c._initialize?.();
    engine.web = engine.c.web_open();
    if (!engine.web) throw new Error("there is too little memory for the engine");
    return engine;
  }

  /** Runs `work` with a function that gives memory, and one that copies an array there; frees both afterwards. */
  borrow(work) {
    const blocks = [];
    const get = (bytes) => {
      const block = this.c.web_get(this.web, bytes);
      if (!block) throw this.failed();
      blocks.push(block);
      return block;
    };
    const put = (array) => {
      const block = get(array.byteLength);
      new Uint8Array(this.c.memory.buffer).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), block);
      return block;
    };
    try {
      return work(get, put);
    } finally {
      for (const block of blocks) this.c.web_put(block);
    }
  }

  failed() {
    return new Error(this.text(this.c.web_error(this.web)));
  }

  check(result) {
    if (result < 0) throw this.failed();
    return result;
  }

  text(at) {
    const bytes = new Uint8Array(this.c.memory.buffer);
    return new TextDecoder().decode(bytes.slice(at, bytes.indexOf(0, at)));
  }

  /** A copy of an array in the engine's memory. */
  copy(Kind, at, length) {
    return new Kind(this.c.memory.buffer, at, length).slice();
  }

  /** A drawing or photograph as the network sees it: {digit, isEmpty, touches, several, faint}. */
  prepare({ pixels, height, width, channels }) {
    return this.borrow((get, put) => {
      const digit = get(PIXELS);
      const bits = this.check(this.c.web_prepare(this.web, put(pixels), height, width, channels, digit));
      const has = (bit) => (bits & bit) !== 0;
      return {
        digit: this.copy(Uint8Array, digit, PIXELS),
        isEmpty: has(1),
        warnings: { touches: has(2), several: has(4), faint: has(8) },
      };
    });
  }

  /** The images in x by the numbers in rows, each changed at random by the strengths shift, rotate, scale and shear. */
  vary(x, strengths, rows) {
    return this.borrow((get, put) => {
      const count = x.length / PIXELS;
      const out = get(x.length);
      const numbers = put(BigInt64Array.from(rows, BigInt));
      this.check(this.c.web_vary(this.web, put(x), count, put(Float64Array.from(strengths)), numbers, out));
      return this.copy(Uint8Array, out, x.length);
    });
  }

  /** The model in the bytes of a file that pn.save wrote. */
  parse(bytes) {
    const model = this.borrow((_, put) => this.c.web_parse(this.web, put(bytes), bytes.length));
    if (!model) throw this.failed();
    return new Network(this, model);
  }

  /** The network 784-128-10, untrained. */
  fresh(seed) {
    const model = this.c.web_fresh(this.web, seed);
    if (!model) throw this.failed();
    return new Network(this, model);
  }
}

/** A model of digits: ten classes, images of 28 x 28 bytes. */
class Network {
  constructor(engine, at) {
    this.engine = engine;
    this.at = at;
    this.parameters = engine.c.web_parameters(at);
    this.first = this.firstMaps();
  }

  free() {
    this.engine.c.web_free(this.at);
  }

  /** The first convolution with its norm and activation: the name of the last of them; null without a convolution. */
  firstMaps() {
    const { c } = this.engine;
    const kind = (i) => (i < c.web_layers(this.at) ? this.engine.text(c.web_kind(this.at, i)) : "");
    if (kind(0) !== "Conv2D") return null;
    let last = 0;
    while (["BatchNorm", "Activation"].includes(kind(last + 1))) last++;
    return this.engine.text(c.web_layer(this.at, last));
  }

  /** Probabilities, ten for each image in x. */
  predict(x) {
    const { engine } = this;
    return engine.borrow((get, put) => {
      const count = x.length / PIXELS;
      const out = get(40 * count);
      engine.check(engine.c.web_predict(engine.web, this.at, put(x), count, out));
      return engine.copy(Float32Array, out, 10 * count);
    });
  }

  /** The first feature maps of an image, each scaled to 0 to 255; null if there are none. */
  maps(x, most) {
    const { engine } = this;
    if (!this.first) return null;
    return engine.borrow((get, put) => {
      const name = put(new TextEncoder().encode(`${this.first}\0`));
      const shape = get(12);
      const at = engine.c.web_look(engine.web, this.at, name, put(x), shape);
      if (!at) throw engine.failed();
      const [height, width, filters] = engine.copy(Int32Array, shape, 3);
      const values = engine.copy(Float32Array, at, height * width * filters);
      engine.c.web_put(at);
      const planes = Array.from({ length: Math.min(filters, most) }, (_, plane) =>
        scaled(Array.from({ length: height * width }, (_, i) => values[i * filters + plane])),
      );
      return planes.map((plane) => ({ height, width, values: plane }));
    });
  }

  /** All parameters and state, as bytes. */
  snapshot() {
    const { engine } = this;
    return engine.borrow((get) => {
      const size = engine.c.web_snapshot_bytes(this.at);
      const to = get(size);
      engine.c.web_snapshot(this.at, to);
      return engine.copy(Uint8Array, to, size);
    });
  }

  restore(snapshot) {
    this.engine.borrow((_, put) => this.engine.c.web_restore(this.at, put(snapshot)));
  }

  /** Trains on images x and labels y, for as long as the caller asks for the next step; sets the preprocessing of a new model. */
  *train(x, y, { epochs, rate = 0, batch = 0, seed = 0, isNew = false }) {
    const { engine } = this;
    const { c, web } = engine;
    const blocks = [x.byteLength, 8 * y.length, 48].map((bytes) => c.web_get(web, bytes));
    const [images, labels, out] = blocks;
    let training = 0;
    try {
      if (blocks.includes(0)) throw engine.failed();
      new Uint8Array(c.memory.buffer, images, x.length).set(x);
      new BigInt64Array(c.memory.buffer, labels, y.length).set(BigInt64Array.from(y, BigInt));
      if (isNew) engine.check(c.web_learn_pixels(web, this.at, images, labels, y.length));
      training = c.web_train(web, this.at, images, labels, y.length, epochs, rate, batch, seed);
      if (!training) throw engine.failed();
      while (engine.check(c.web_next(web, training, out))) {
        const [loss, rows, correct, epoch, step, steps] = engine.copy(Float64Array, out, 6);
        yield { loss, rows, correct, epoch, step, steps };
      }
    } finally {
      if (training) c.web_stop(training);
      for (const block of blocks) c.web_put(block);
    }
  }
}

/** Values as bytes, from the least, 0, to the greatest, 255. */
function scaled(values) {
  const low = Math.min(...values);
  const factor = 255 / Math.max(Math.max(...values) - low, 1e-12);
  return Uint8Array.from(values, (value) => Math.round((value - low) * factor));
}

/** The place of the greatest of ten probabilities, from `start`. */
function top(probabilities, start = 0) {
  let best = 0;
  for (let i = 1; i < 10; i++) if (probabilities[start + i] > probabilities[start + best]) best = i;
  return best;
}

/** Where a network sees evidence for its answer: the drop of its log odds under patches of 4 x 4, 0 to 255; null if nowhere. */
function heatMap(network, x, background) {
  const size = 4;
  const step = 2;
  const starts = Array.from({ length: (SIDE - size) / step + 1 }, (_, i) => step * i);
  const covered = new Uint8Array(PIXELS * (starts.length ** 2 + 1));
  covered.set(x);
  const places = starts.flatMap((row) => starts.map((column) => [row, column]));
  places.forEach(([row, column], i) => {
    const image = covered.subarray(PIXELS * (i + 1), PIXELS * (i + 2));
    image.set(x);
    for (let r = row; r < row + size; r++) image.fill(background, r * SIDE + column, r * SIDE + column + size);
  });
  const found = network.predict(covered);
  const label = top(found);
  const odds = (image) => {
    let others = 0;
    for (let i = 0; i < 10; i++) if (i !== label) others += found[10 * image + i];
    return Math.log(found[10 * image + label] || 1e-38) - Math.log(others || 1e-38);
  };
  const total = new Float64Array(PIXELS);
  const count = new Float64Array(PIXELS);
  places.forEach(([row, column], i) => {
    const drop = odds(0) - odds(i + 1);
    for (let r = row; r < row + size; r++) {
      for (let c = column; c < column + size; c++) {
        total[r * SIDE + c] += drop;
        count[r * SIDE + c] += 1;
      }
    }
  });
  const mean = total.map((drop, i) => Math.max(0, drop / count[i]));
  const most = Math.max(...mean);
  if (most <= 0) return null;
  return { height: SIDE, width: SIDE, values: Uint8Array.from(mean, (value) => Math.round((255 * value) / most)) };
}

if (typeof module !== "undefined") module.exports = { Engine, heatMap, top, PIXELS };
