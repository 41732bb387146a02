import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {gunzipSync} from 'node:zlib';

const where = (folder: string | undefined): string => {
	const found = folder ?? process.env.SALLYPORT_EVAL_DATA;
	if (found === undefined) {
		throw new Error('The evaluation data is not part of the repository: name its folder with --data or SALLYPORT_EVAL_DATA.');
	}
	return found;
};

/** The rows of `<name>.jsonl.gz` in the folder of `--data`, or of SALLYPORT_EVAL_DATA; throws where there is none. */
export const readRows = <Row>(name: string, folder?: string): Row[] => {
	const file = join(where(folder), `${name}.jsonl.gz`);
	if (!existsSync(file)) throw new Error(`There is no ${file}: name the folder of the evaluation data with --data or SALLYPORT_EVAL_DATA.`);
	return gunzipSync(readFileSync(file))
		.toString('utf8')
		.trim()
		.split('\n')
		.map(line => JSON.parse(line) as Row);
};
