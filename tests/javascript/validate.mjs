// SPDX-License-Identifier: MIT
// Validates frames with ajv, which is strict about the schema itself, too.
// Arguments: the schema, and perhaps files of frames, one a line; otherwise they are read from
// standard input.  Writes, as JSON, how many frames there were and which of them were invalid.

import { createReadStream, readFileSync } from "node:fs";
import { createInterface } from "node:readline";

import Ajv2020 from "ajv/dist/2020.js";

const [schema, ...files] = process.argv.slice(2);
const validate = new Ajv2020({ strict: true }).compile(JSON.parse(readFileSync(schema, "utf8")));
let frames = 0;
const invalid = [];
for (const input of files.length ? files.map((file) => createReadStream(file)) : [process.stdin]) {
  for await (const line of createInterface({ input })) {
    frames += 1;
    if (!validate(JSON.parse(line))) invalid.push({ line, errors: validate.errors.slice(0, 5) });
  }
}
console.log(JSON.stringify({ frames, invalid }));
