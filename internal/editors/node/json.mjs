// json.mjs SCHEMA: opens a JSON text as VS Code does. It reads {text, hover, complete} from the standard input, where
// hover and complete are places [line, character] that count from 0, and writes {diagnostics, hover, completion}.
import { readFileSync } from "node:fs";
import languageService from "vscode-json-languageservice";

const { getLanguageService, TextDocument } = languageService; // a CommonJS module
const schema = JSON.parse(readFileSync(process.argv[2], "utf8"));
const { text, hover, complete } = JSON.parse(readFileSync(0, "utf8"));

const service = getLanguageService({
  clientCapabilities: { textDocument: { completion: { completionItem: { documentationFormat: ["markdown"] } } } },
  schemaRequestService: () => Promise.reject(new Error("there are no other schemas")),
});
service.configure({ validate: true, schemas: [{ uri: "file:///cors.schema.json", fileMatch: ["cors.json"], schema }] });

const document = TextDocument.create("file:///cors.json", "json", 1, text);
const json = service.parseJSONDocument(document);
const place = ([line, character]) => ({ line, character });
const found = await service.doValidation(document, json);
const shown = await service.doHover(document, place(hover), json);
const list = await service.doComplete(document, place(complete), json);
process.stdout.write(
  JSON.stringify({
    diagnostics: found.map((d) => `${d.range.start.line + 1}:${d.range.start.character + 1} ${d.message}`),
    hover: [shown?.contents ?? []].flat().map((c) => c.value ?? c).join("\n"),
    completion: (list?.items ?? []).map((item) => item.label),
  }),
);
