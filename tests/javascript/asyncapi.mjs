// SPDX-License-Identifier: MIT
// Says what AsyncAPI's own parser makes of the document on standard input, as JSON.

import { readFileSync } from "node:fs";

import parser from "@asyncapi/parser";

const { document, diagnostics } = await new parser.Parser().parse(readFileSync(0, "utf8"));
console.log(
  JSON.stringify({
    version: document?.version() ?? null,
    operations: Object.fromEntries(
      document?.allOperations().all().map((one) => [one.id(), one.messages().all().map((m) => m.name())]) ?? [],
    ),
    // An error has severity 0, a warning 1.
    problems: diagnostics.filter(({ severity }) => severity < 2).map(({ code, message, path }) => ({ code, message, path })),
  }),
);
