import {type Command, Option} from 'commander';
import type {Dispatcher} from 'undici';

export type AdminOptions = {url: string; adminKey?: string};

type Problem = {detail?: unknown; help?: unknown; code?: unknown};

const timeoutMs = 30_000;

/** The options every verb takes that talks to a running gateway. */
export const withAdmin = (command: Command): Command =>
	command
		.addOption(new Option('--url <url>', 'the running gateway').default('http://127.0.0.1:8787').env('SALLYPORT_URL'))
		.addOption(
			new Option('--admin-key <key>', 'its admin key; better in the environment, where no list of processes shows it').env(
				'SALLYPORT_ADMIN_KEY',
			),
		);

const addressOf = (path: string, url: string): URL => {
	const address = URL.canParse(url) ? new URL(path, url) : undefined;
	if (address?.protocol === 'http:' || address?.protocol === 'https:') return address;
	throw new Error(`"${url}" is no address of a gateway: write it like http://127.0.0.1:8787.`);
};

const noGateway = (url: string, error: NodeJS.ErrnoException): Error =>
	new Error(`No gateway answers at ${url} (${error.code ?? error.message}). Start it, or name another with --url or SALLYPORT_URL.`);

const jsonOf = (text: string, url: string): unknown => {
	try {
		return JSON.parse(text);
	} catch {
		throw new Error(`What answers at ${url} is no gateway: it does not speak JSON.`);
	}
};

const sentence = (words: unknown): string => (typeof words === 'string' ? words.replace(/[^.!?…]$/, '$&.') : '');

/** One call of the admin API: the JSON it answers. Rejects with the problem's own words. */
export const adminCall = async (
	{url, adminKey}: AdminOptions,
	method: Dispatcher.HttpMethod,
	path: string,
	input?: unknown,
): Promise<unknown> => {
	if (!adminKey) {
		throw new Error(
			'This needs the admin key, which the first start printed: set SALLYPORT_ADMIN_KEY. If it is lost, run sallyport admin-key.',
		);
	}
	if (!/^[\x21-\x7e]+$/.test(adminKey))
		throw new Error('The admin key holds characters that no admin key has: look at SALLYPORT_ADMIN_KEY.');
	const address = addressOf(path, url);
	const {request} = await import('undici');
	const {status, text} = await request(address, {
		method,
		headers: {authorization: `Bearer ${adminKey}`, 'content-type': 'application/json'},
		headersTimeout: timeoutMs,
		bodyTimeout: timeoutMs,
		...(input !== undefined && {body: JSON.stringify(input)}),
	})
		.then(async ({statusCode, body}) => ({status: statusCode, text: await body.text()}))
		.catch((error: NodeJS.ErrnoException) => {
			throw noGateway(url, error);
		});
	const answer = jsonOf(text, url);
	if (status < 400) return answer;
	const {code, detail, help} = answer as Problem;
	if (code === 'unauthenticated') throw new Error(`The gateway at ${url} does not take this admin key: look at SALLYPORT_ADMIN_KEY.`);
	// What helps whoever asked for an address helps nobody who named a thing.
	const words = [detail ?? `${url} answers with status ${status}`, code === 'not_found' ? undefined : help];
	throw new Error(words.map(sentence).join(' ').trim());
};
