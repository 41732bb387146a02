import {text} from 'node:stream/consumers';
import type {Command} from 'commander';
import {exactly} from '../llm/exact.ts';
import {type AdminOptions, adminCall, withAdmin} from './admin-client.ts';

type Schema = {properties?: Record<string, unknown>; required?: string[]};
type OpenApi = {
	paths: Record<string, {post?: {summary?: string; requestBody?: {content: {'application/json': {schema: Schema}}}}}>;
};

/** `limitUsd, window?`: what an action takes. */
const fieldsOf = ({properties = {}, required = []}: Schema): string =>
	Object.keys(properties)
		.map(name => (required.includes(name) ? name : `${name}?`))
		.join(', ');

const list = async (options: AdminOptions, plugin: string): Promise<void> => {
	const {paths} = (await adminCall(options, 'GET', '/admin/openapi.json')) as OpenApi;
	const prefix = `/admin/plugins/${plugin}/actions/`;
	const own = Object.entries(paths).filter(([path]) => path.startsWith(prefix));
	if (own.length === 0) throw new Error(`${plugin} has no actions on this gateway: look at sallyport plugins list.`);
	for (const [path, {post}] of own) {
		const fields = fieldsOf(post?.requestBody?.content['application/json'].schema ?? {});
		console.log(`${path.slice(prefix.length)}  ${post?.summary ?? ''}${fields && `\n   {${fields}}`}`);
	}
};

const inputOf = async (written: string | undefined): Promise<unknown> => {
	if (written === undefined) return {};
	const json = written === '-' ? await text(process.stdin) : written;
	try {
		return exactly(json);
	} catch (error) {
		throw new Error(`The input is not JSON: ${(error as Error).message}`);
	}
};

/** `sallyport act …`: any action of any plugin of a running gateway. */
export const act = (program: Command): void => {
	withAdmin(program.command('act'))
		.description("call a plugin's action on a running gateway; without an action, list them")
		.argument('<plugin>', 'its name in the config')
		.argument('[action]')
		.argument('[input]', 'as JSON; - reads it from stdin')
		.action(async (plugin: string, action: string | undefined, input: string | undefined, options: AdminOptions) => {
			if (action === undefined) return list(options, plugin);
			const path = `/admin/plugins/${encodeURIComponent(plugin)}/actions/${encodeURIComponent(action)}`;
			console.log(JSON.stringify(await adminCall(options, 'POST', path, await inputOf(input)), null, 2));
		});
};
