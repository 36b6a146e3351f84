// web_run.js -- runs the module in node: predicts with models, and trains them.
//
// Arguments: the folder of engine.js and engine.wasm; a folder with model files, x.bin and y.bin, to which the answers
// are written.
const fs = require("fs");
const path = require("path");

const [from, folder] = process.argv.slice(2);
const { Engine } = require(path.join(from, "engine.js"));
const read = (name) => new Uint8Array(fs.readFileSync(path.join(folder, name)));
const write = (name, array) => fs.writeFileSync(path.join(folder, name), Buffer.from(array.buffer));

async function main() {
  const engine = await Engine.start(fs.readFileSync(path.join(from, "engine.wasm")));
  const x = read("x.bin");
  const y = read("y.bin");
  const models = fs.readdirSync(folder).filter((name) => name.endsWith(".safetensors"));
  for (const name of models) {
    const network = engine.parse(read(name));
    write(`${name}.predicted`, network.predict(x));
    for (const _ of network.train(x, y, { epochs: 1, rate: 0.001 }));
    write(`${name}.trained`, network.predict(x));
    network.free();
  }
  const fresh = engine.fresh(3);
  for (const _ of fresh.train(x, y, { epochs: 2, rate: 0.002, batch: 32, seed: 3, isNew: true }));
  write("fresh.trained", fresh.predict(x));
  let said = "";
  try {
    engine.parse(x);
  } catch (error) {
    said = error.message;
  }
  const prepared = engine.prepare({ pixels: new Uint8Array(4 * 900), height: 30, width: 30, channels: 4 });
  console.log(JSON.stringify({ said, isEmpty: prepared.isEmpty, live: engine.parse(read(models[0])).parameters }));
}

main();
