import type {Context} from 'koa';
import {GatewayError} from '../errors.ts';

const singles = ['from', 'to', 'by', 'granularity', 'timeZone', 'limit', 'cursor', 'format'];

/** Those of a schema's parameters that may be said several times, and are lists. */
export const listsIn = ({shape}: {shape: Readonly<Record<string, unknown>>}): string[] =>
	Object.keys(shape).filter(name => !singles.includes(name));

/** The parameters of a request's query. Throws `invalid_request` for one that is said twice and is no list. */
export const paramsOf = ({querystring}: Context, lists: readonly string[] = []): Record<string, string | string[]> => {
	const params: Record<string, string | string[]> = {};
	const said = new URLSearchParams(querystring);
	for (const name of new Set(said.keys())) {
		const values = said.getAll(name);
		if (values.length > 1 && !lists.includes(name)) throw new GatewayError('invalid_request', `${name}: say it once.`, {param: name});
		Object.defineProperty(params, name, {value: lists.includes(name) ? values : values[0], enumerable: true});
	}
	return params;
};
