"use strict";
/* training.js -- trains a network from scratch in the page, and shows its loss while it learns.  Uses page.js. */

let losses = []; // the smoothed loss of each step
let seed = 0;

function showCurve() {
  const target = $("curve");
  const { width, height } = target;
  const pen = target.getContext("2d");
  pen.clearRect(0, 0, width, height);
  if (losses.length < 2) return;
  const style = getComputedStyle(target);
  const low = Math.log(Math.min(...losses));
  const range = Math.max(Math.log(Math.max(...losses)) - low, 1e-9);
  const line = new Path2D();
  losses.forEach((loss, i) => {
    const x = (width * i) / (curveSteps - 1);
    line.lineTo(x, height * (0.95 - (0.9 * (Math.log(loss) - low)) / range));
  });
  pen.lineWidth = 2 * devicePixelRatio;
  pen.lineJoin = "round";
  pen.strokeStyle = style.color;
  pen.stroke(line);
}

let curveSteps = 2;

function follow({ loss, epoch, epochs, step, steps }) {
  losses.push(loss);
  curveSteps = steps;
  const text = `Epoch ${epoch + 1} of ${epochs} · loss ${loss.toFixed(3)}`;
  if (step % 10 === 0 || step + 1 === steps) $("progress").textContent = text;
  if (step % 3 === 0 || step + 1 === steps) showCurve();
}

$("train").addEventListener("click", async () => {
  $("train").disabled = true;
  $("curve-box").hidden = false;
  fitCurve();
  losses = [];
  seed++;
  $("trained").textContent = "Training …";
  try {
    const done = await backend.train(seed, follow);
    $("trained").textContent =
      `Learnt ${done.epochs} times ${done.digits.toLocaleString("en")} digits in ${done.seconds.toFixed(1)} s: ` +
      `right on ${interval(done.accuracy)} of ${facts.test} (95 % interval).`;
    $("use").hidden = false;
    if ($("use").ariaPressed === "true") await use("made");
  } catch (error) {
    $("trained").textContent = sentence(error);
  }
  $("train").disabled = false;
  $("train").textContent = "Train again";
});

async function use(which) {
  showModel(await backend.use(which));
  showAccuracy(await backend.accuracy());
  if (!isEmpty()) predict();
}

$("use").addEventListener("click", async () => {
  const isMade = $("use").ariaPressed !== "true";
  $("use").ariaPressed = String(isMade);
  await use(isMade ? "made" : "ours");
});

function fitCurve() {
  const { clientWidth, clientHeight } = $("curve");
  Object.assign($("curve"), { width: Math.round(clientWidth * devicePixelRatio), height: Math.round(clientHeight * devicePixelRatio) });
  showCurve();
}

new ResizeObserver(fitCurve).observe($("curve"));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showCurve);
