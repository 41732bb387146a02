import {GatewayError} from '../errors.ts';
import type {Exchange} from '../exchange.ts';
import type {Gateway} from '../gateway.ts';
import type {Answered} from '../upstream/deployments.ts';
import {beforeReply} from './after.ts';
import type {Asked} from './asked.ts';
import type {Deployment} from './catalogue.ts';
import {clientHeaders} from './client-headers.ts';
import {isObject, type JsonObject} from './json.ts';
import {encodeBody} from './encode.ts';
import {countUsage} from './spend.ts';
import {patchText, replyTextOf} from './text.ts';
import {askToolCalls} from './tool-calls.ts';

/** A reply that is ready to be sent, whole. */
export type ReplyParts = {status: number; headers: Record<string, string>; body: Buffer | string};

const parsed = (text: string, deployment: Deployment): JsonObject => {
	try {
		const json: unknown = JSON.parse(text);
		if (isObject(json)) return json;
	} catch {
		// Said below: what came is not shown to anybody.
	}
	throw new GatewayError('upstream_malformed', `${deployment.name} answered with something that is not a JSON object.`);
};

/** A provider that repeats the gateway's own key has answered nothing a client may see. */
const refuseKey = (body: Buffer, {key, name}: Deployment): void => {
	if (key !== undefined && key.length >= 8 && body.includes(key)) {
		throw new GatewayError('upstream_malformed', `${name} answered with something that must not be passed on.`);
	}
};

/** A reply that does not stream: usage counted, tool calls and post-response asked, bytes untouched unless somebody rewrote them. */
export const wholeReply = async (gateway: Gateway, exchange: Exchange, asked: Asked, {reply, deployment}: Answered<Deployment>): Promise<ReplyParts> => {
	const begun = performance.now();
	const body = await reply.collect(gateway.config.limits.replyMb * 1_048_576);
	exchange.upstreamMs += performance.now() - begun;
	exchange.status = reply.status;
	refuseKey(body, deployment);
	const source = body.toString();
	const json = parsed(source, deployment);
	if (reply.status < 300) countUsage(exchange, asked, deployment, asked.dialect.usageOf(json));
	else exchange.costMicroUsd = 0;
	exchange.outcome = reply.status < 300 ? 'ok' : 'failed';

	let edited = await askToolCalls(gateway, exchange, asked.dialect, json);
	const text = () => replyTextOf(json);
	let found: ReturnType<typeof text> | undefined;
	const strings = () => (found ??= text()).strings;
	const tools = () => asked.dialect.toolCallsOf(json).map(({id, name}) => ({id, name}));
	try {
		await beforeReply(gateway, exchange, {text: strings, tools}, patch => {
			if (patch.text && patchText((found ??= text()), patch.text) > 0) edited = true;
		});
	} catch (error) {
		exchange.outcome = undefined;
		throw error;
	}
	return {status: reply.status, headers: clientHeaders(reply.headers, exchange), body: edited ? encodeBody(source, json) : body};
};
