// SPDX-License-Identifier: MIT
// Colours that people chose for their names, made readable on a light and on a dark ground.

const HEX = /^#[0-9a-f]{6}$/i;
/** Luminance of the least favourable grounds that names stand on, tinted rows included. */
const LIGHT_GROUND = 0.67;
const DARK_GROUND = 0.05;
const CONTRAST = 4.5;

const known = new Map();

/** The colour if it is a plain `#RRGGBB`, else null: nothing else gets into a style. */
export function hexColor(color) {
  return typeof color === "string" && HEX.test(color) ? color : null;
}

/**
 * The two shades of a colour in which text can be read.
 *
 * @param {string|undefined} color `#RRGGBB`; without one a hue is drawn from the name
 * @param {string} name
 * @returns {{light: string, dark: string}} for a light and for a dark ground
 */
export function readable(color, name) {
  const key = hexColor(color) ?? `of ${name}`;
  let shades = known.get(key);
  if (!shades) {
    if (known.size > 5000) known.clear();
    const rgb = hexColor(color) ? parse(color) : fromHue(hue(name));
    shades = {
      light: css(towards(rgb, 0, LIGHT_GROUND)),
      dark: css(towards(rgb, 255, DARK_GROUND)),
    };
    known.set(key, shades);
  }
  return shades;
}

/** Black or white, whichever reads better on a colour. */
export function inkOn(color) {
  const ground = luminance(parse(color));
  return contrast(ground, 0) > contrast(ground, 1) ? "#000" : "#fff";
}

/** A number for a name, the same every time: 0 to 359. */
export function hue(name) {
  let sum = 7;
  for (let i = 0; i < name.length; i += 1) sum = (sum * 31 + name.charCodeAt(i)) % 100003;
  return (sum * 47) % 360;
}

function parse(color) {
  const number = Number.parseInt(color.slice(1), 16);
  return [(number >> 16) & 255, (number >> 8) & 255, number & 255];
}

function fromHue(degrees) {
  const channel = (shift) => {
    const k = (shift + degrees / 30) % 12;
    return Math.round(255 * (0.55 - 0.32 * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}

function towards(rgb, goal, ground) {
  let mixed = rgb;
  for (let step = 1; step <= 20 && contrast(luminance(mixed), ground) < CONTRAST; step += 1) {
    mixed = rgb.map((channel) => Math.round(channel + ((goal - channel) * step) / 20));
  }
  return mixed;
}

function contrast(one, other) {
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}

function luminance(rgb) {
  const [red, green, blue] = rgb.map((channel) => {
    const part = channel / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function css(rgb) {
  return `rgb(${rgb.join(" ")})`;
}
