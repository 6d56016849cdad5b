// Validates SBOMs against the JSON Schema of CycloneDX 1.5. The arguments are their files.
import { readFileSync } from "node:fs";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";

const files = process.argv.slice(2);
if (files.length === 0) {
  console.error("name the files to validate");
  process.exitCode = 2;
}
const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot5);
for (const file of files) {
  const problem = await validator.validate(readFileSync(file, "utf8"));
  if (problem !== null) {
    console.error(`${file}: ${JSON.stringify(problem, null, 2)}`);
    process.exitCode = 1;
  }
}
