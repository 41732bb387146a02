import {GatewayError} from '../errors.ts';
import type {Exchange} from '../exchange.ts';
import type {Gateway} from '../gateway.ts';
import type {Member} from '../hooks.ts';
import {keepReply} from '../payload.ts';
import type {Answered} from '../upstream/deployments.ts';
import {beforeReply} from './after.ts';
import type {Asked} from './asked.ts';
import type {Deployment} from './catalogue.ts';
import {replyAnswers, replyChannels} from './channels.ts';
import {clientHeaders} from './client-headers.ts';
import {encodeBody} from './encode.ts';
import {isObject, type JsonObject} from './json.ts';
import {parseJson} from './parse.ts';
import {refuseKeyIn} from './provider-key.ts';
import {countUsage, type Known} from './spend.ts';
import {type BodyText, patchText, replyTextOf} from './text.ts';
import {askToolCalls, judgeTaintedCalls} from './tool-calls.ts';
import {openProduced} from './usage-produced.ts';
import {unitsReported} from './usage-units.ts';

/** A reply that is ready to be sent, whole. */
export type ReplyParts = {status: number; headers: Record<string, string>; body: Buffer | string};

const parsed = (text: string, deployment: Deployment): JsonObject => {
	try {
		const json: unknown = parseJson(text);
		if (isObject(json)) return json;
	} catch {
		// Said below: what came is not shown to anybody.
	}
	throw new GatewayError('upstream_malformed', `${deployment.name} answered with something that is not a JSON object.`);
};

const knownOf = ({dialect}: Asked, {bound}: Deployment, json: JsonObject, body: Buffer): Known => {
	const produced = openProduced(bound);
	produced.see(body);
	return {produced: produced.tokens(), sure: dialect.sureOf(json), doubt: isObject(json.usage) ? 'absurd' : 'missing'};
};

const isReader = ({mode, plugin}: Member): boolean =>
	mode === 'enforce' && plugin.manifest.hooks['post-response']?.reads.includes('text[]') === true;

/** A reply that does not stream: usage counted, tool calls and post-response asked, bytes untouched unless somebody rewrote them. */
export const wholeReply = async (
	gateway: Gateway,
	exchange: Exchange,
	asked: Asked,
	{reply, deployment}: Answered<Deployment>,
): Promise<ReplyParts> => {
	const begun = performance.now();
	const body = await reply.collect(gateway.config.limits.replyMb * 1_048_576);
	exchange.upstreamMs += performance.now() - begun;
	exchange.status = reply.status;
	refuseKeyIn(deployment, body);
	const json = parsed(body.toString(), deployment);
	if (reply.status < 300) {
		const known = () => knownOf(asked, deployment, json, body);
		countUsage(exchange, asked, deployment, asked.dialect.usageOf(json), {known, units: unitsReported(json, deployment.price)});
	}
	if (reply.status >= 300) exchange.costMicroUsd = 0;
	exchange.outcome = reply.status < 300 ? 'ok' : 'failed';

	let edited = false;
	let found: BodyText | undefined;
	const text = (): BodyText => {
		found ??= replyTextOf(json, () => body.toString());
		return found;
	};
	const tools = () => asked.dialect.toolCallsOf(json).map(({id, name}) => ({id, name}));
	try {
		edited = await askToolCalls(gateway, exchange, asked.dialect, json, body.toString());
		const before = exchange.taints?.size;
		const shown = {text: () => text().strings, channels: () => replyChannels(json, text()), answers: () => replyAnswers(text()), tools};
		await beforeReply(gateway, exchange, shown, patch => {
			if (patch.text && patchText(text(), patch.text) > 0) edited = true;
		});
		if (exchange.taints?.size !== before && (await judgeTaintedCalls(gateway, exchange, asked.dialect, json, body.toString()))) {
			edited = true;
			found = replyTextOf(json, () => body.toString());
		}
	} catch (error) {
		// What a plugin refuses is not what the provider answered.
		exchange.outcome = undefined;
		throw error;
	}
	keepReply(gateway, exchange, () => ({text: text().strings, channels: replyChannels(json, text())}));
	// Of a field that was there twice, guards have seen one; who only looks on changes nothing.
	if (found && gateway.hooks.members.some(isReader)) edited = true;
	const headers = clientHeaders(reply.headers, exchange, found !== undefined);
	headers['content-type'] = 'application/json';
	// Clients repeat a 409 on their own; no other answer about the request gets better by that.
	if (reply.status >= 400) headers['x-should-retry'] = String(reply.status === 409);
	return {status: reply.status, headers, body: edited ? encodeBody(body.toString(), json) : body};
};
