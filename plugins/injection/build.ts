/** Compiles assembly/ and weights.bin to plugin.wasm: node plugins/injection/build.ts */
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {compileInjection} from './compile.ts';

await writeFile(join(import.meta.dirname, 'plugin.wasm'), await compileInjection());
