/** Compiles assembly/ to plugin.wasm: node plugins/word-list/build.ts */
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {compile} from '../../plugin-sdk/assembly-script.ts';

await writeFile(join(import.meta.dirname, 'plugin.wasm'), await compile(join(import.meta.dirname, 'assembly/index.ts')));
