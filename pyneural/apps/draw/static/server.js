"use strict";
/* server.js -- the network behind the page is the server's: asks it, and unpacks its answers. */

async function ask(path, options = {}) {
  const response = await fetch(path, options).catch(() => {
    throw new Error("the server does not answer: is it still running?");
  });
  if (response.status === 204) return null;
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

/** The planes of pixels in an answer: {height, width, values}. */
function unpack({ shape, pixels }) {
  const bytes = Uint8Array.from(atob(pixels), (character) => character.charCodeAt(0));
  const size = shape[1] * shape[2];
  return Array.from({ length: shape[0] }, (_, plane) => ({
    height: shape[1],
    width: shape[2],
    values: bytes.subarray(plane * size, (plane + 1) * size),
  }));
}

const one = (packed) => packed && unpack(packed)[0];

const backend = {
  model: () => ask("/api/model"),
  accuracy: () => ask("/api/accuracy"),

  async predict(body, shows) {
    const answer = await ask(`/api/predict?show=${shows}`, { method: "POST", body });
    return { ...answer, input: one(answer.input), heat: one(answer.heat), features: answer.features && unpack(answer.features) };
  },

  async examples() {
    const { digits } = await ask("/api/examples");
    return digits.map((digit) => ({ ...digit, input: one(digit.input) }));
  },
  keep: (body, label) => ask(`/api/examples?label=${label}`, { method: "POST", body }),
  remove: (id) => ask(`/api/examples/${id}`, { method: "DELETE" }),

  learn: () => ask("/api/learn", { method: "POST" }),
  undo: () => ask("/api/undo", { method: "POST" }),

  xray: () => ask("/api/xray"),
  async examine(body) {
    const found = await ask("/api/xray", { method: "POST", body });
    return { ...found, heat: one(found.heat) };
  },
};
