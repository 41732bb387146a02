import type {Command} from 'commander';
import {request} from 'undici';

export type AdminOptions = {url: string; adminKey?: string};

/** The options every verb takes that talks to a running gateway. */
export const withAdmin = (command: Command): Command =>
	command
		.option('--url <url>', 'the running gateway', process.env.SALLYPORT_URL ?? 'http://127.0.0.1:8787')
		.option('--admin-key <key>', 'its admin key; better in SALLYPORT_ADMIN_KEY, where no process list shows it');

/** One call of the admin API. Rejects with the problem's own words. */
export const adminCall = async ({url, adminKey = process.env.SALLYPORT_ADMIN_KEY}: AdminOptions, method: 'GET' | 'POST', path: string, input?: unknown): Promise<unknown> => {
	if (!adminKey) throw new Error('This needs the admin key: set SALLYPORT_ADMIN_KEY.');
	const {statusCode, body} = await request(new URL(path, url), {
		method,
		headers: {authorization: `Bearer ${adminKey}`, 'content-type': 'application/json'},
		...(input !== undefined && {body: JSON.stringify(input)}),
	}).catch((error: Error) => {
		throw new Error(`No gateway answers at ${url}: ${error.message}`);
	});
	const answer = (await body.json()) as {detail?: string; help?: string};
	if (statusCode >= 400) throw new Error(`${answer.detail ?? `status ${statusCode}`} ${answer.help ?? ''}`.trim());
	return answer;
};
