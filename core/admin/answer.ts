import type {Context} from 'koa';
import type * as z from 'zod';
import {readBody} from '../body.ts';
import {issueWords} from '../config/kinds.ts';
import {GatewayError} from '../errors.ts';
import type {Gateway} from '../gateway.ts';
import {parseBody} from '../llm/body.ts';
import {firstBeyond} from '../llm/numbers.ts';

/** What an operator asked for, as JSON that nobody keeps. */
export const answer = (ctx: Context, value: unknown): void => {
	const {exchange} = ctx.state;
	exchange.outcome = 'ok';
	exchange.status = 200;
	ctx.state.reply = {status: 200, headers: {'content-type': 'application/json', 'cache-control': 'no-store'}, body: JSON.stringify(value)};
};

/** The JSON object of a request's body; {} where there is none. Throws `invalid_request` for a number that would become another one here. */
export const inputOf = async ({config: {limits}}: Gateway, {req}: Context): Promise<unknown> => {
	const bytes = await readBody(req, {maxBytes: limits.bodyMb * 1_048_576, withinMs: limits.bodyMs});
	if (bytes.length === 0) return {};
	const {json, text} = parseBody(bytes);
	const beyond = firstBeyond(text);
	if (beyond !== undefined)
		throw new GatewayError(
			'invalid_request',
			`The number ${beyond.slice(0, 50)} has more digits than a double holds: write it as text, in quotes.`,
		);
	return json;
};

/** The input as `schema` makes it. Throws `invalid_request` that names each field. */
export const checked = <Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> => {
	const {success, data, error} = schema.safeParse(input);
	if (success) return data;
	throw new GatewayError('invalid_request', error.issues.map(issueWords).join('; '));
};
