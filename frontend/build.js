// Bundles the editor for YAML into the package, and writes down whose code is in it: `npm run build`.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const STATIC = "../clipnb/widgets/static/";
const PACKAGE = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//;

// By which a test finds out that the bundle is not made of the present sources.
const sources = ["package-lock.json", ...readdirSync("src").sort().map((name) => `src/${name}`)];
const digest = sources.reduce((hash, path) => hash.update(readFileSync(path)), createHash("sha256")).digest("hex");

const { metafile } = await build({
  entryPoints: ["src/editor.js"],
  outfile: `${STATIC}yaml_editor.js`,
  bundle: true,
  minify: true,
  format: "cjs",
  target: "es2020",
  charset: "utf8",
  legalComments: "none", // all licences are in the file beside it
  banner: { js: `/* made by frontend/build.js of sources with SHA-256 ${digest} */` },
  metafile: true,
});
const used = Object.keys(metafile.inputs).map((path) => PACKAGE.exec(path)?.[1]);
const names = [...new Set(used.filter(Boolean))].sort();

function licenceOf(name) {
  const folder = `node_modules/${name}`;
  const { version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
  if (!file) throw new Error(`${name} has no licence file`);
  return `${name} ${version}: ${license}\n\n${readFileSync(`${folder}/${file}`, "utf8").trim()}\n`;
}

const head = "yaml_editor.js is made from frontend/src and these packages.\n";
writeFileSync(`${STATIC}yaml_editor.licences.txt`, [head, ...names.map(licenceOf)].join(`\n${"-".repeat(72)}\n`));
