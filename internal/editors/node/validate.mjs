// validate.mjs SCHEMA...: reads lines from the standard input, each {schema, format, text}, and writes
// one line for each: {syntax, error}, both empty for a valid text. The schema is an index of the
// arguments. YAML is read as yaml-language-server reads it.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import Ajv from "ajv";
import { parseAllDocuments } from "yaml";

const ajv = new Ajv({ strict: true, strictTypes: true });
ajv.addVocabulary(["markdownDescription", "markdownEnumDescriptions"]); // only editors know these
const validators = process.argv.slice(2).map((name) => {
  const schema = JSON.parse(readFileSync(name, "utf8"));
  if (schema.$schema !== "http://json-schema.org/draft-07/schema#") {
    throw new Error(`${name}: $schema is ${schema.$schema}`);
  }
  return ajv.compile(schema);
});

function read({ format, text }) {
  if (format === "json") {
    return JSON.parse(text);
  }
  const documents = parseAllDocuments(text, { strict: false, version: "1.2", keepSourceTokens: true, logLevel: "silent" });
  if (documents.length !== 1) {
    throw new Error(`there are ${documents.length ?? 0} documents`);
  }
  if (documents[0].errors.length > 0) {
    throw documents[0].errors[0];
  }
  return documents[0].toJS();
}

for await (const line of createInterface({ input: process.stdin })) {
  const item = JSON.parse(line);
  const validate = validators[item.schema];
  const result = { syntax: "", error: "" };
  try {
    if (!validate(read(item))) {
      result.error = ajv.errorsText(validate.errors, { dataVar: "" });
    }
  } catch (error) {
    result.syntax = `${error.name}: ${error.message}`;
  }
  process.stdout.write(JSON.stringify(result) + "\n");
}
