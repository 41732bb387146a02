import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {compile} from '../../plugin-sdk/assembly-script.ts';

/** plugin.wasm as assembly/ and weights.bin say it is. */
export const compileInjection = (): Promise<Uint8Array> => {
	const weights = readFileSync(join(import.meta.dirname, 'weights.bin'));
	const model = `export const model: StaticArray<i8> = [${new Int8Array(weights).join(',')}];\n`;
	// Every index is bounded by the code itself, and the compiler's checks took a third of the time.
	const fast = ['--uncheckedBehavior', 'always', '--shrinkLevel', '0'];
	return compile(join(import.meta.dirname, 'assembly/index.ts'), {'weights.ts': model}, fast);
};
