import {hash} from 'node:crypto';
import type {ServerResponse} from 'node:http';
import type {Usage} from '../../schemas/usage.ts';
import type {Exchange} from '../exchange.ts';
import {finish, type Gateway} from '../gateway.ts';
import {beforeReply} from './after.ts';
import type {Asked} from './asked.ts';
import type {JsonObject} from './json.ts';
import type {ReplyParts} from './reply.ts';
import {patchText, replyTextOf} from './text.ts';

type Answer = NonNullable<Asked['answer']>;

const nothingUsed: Usage = {inputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, outputTokens: 0, reasoningTokens: 0, source: 'reported'};

/** A plugin's text as post-response leaves it. */
const guardedText = async (gateway: Gateway, exchange: Exchange, text: string): Promise<string> => {
	let guarded = text;
	await beforeReply(gateway, exchange, {text: () => [guarded]}, patch => {
		guarded = patch.text?.['0'] ?? guarded;
	});
	return guarded;
};

const guardedBody = async (gateway: Gateway, exchange: Exchange, body: JsonObject): Promise<JsonObject> => {
	const found = replyTextOf(body);
	await beforeReply(gateway, exchange, {text: () => found.strings}, patch => {
		if (patch.text) patchText(found, patch.text);
	});
	return body;
};

/** Answers in the upstream's place, as a plugin said; what it says passes post-response like any other reply. */
export const answerItself = async (gateway: Gateway, exchange: Exchange, asked: Asked, answer: Answer, res: ServerResponse): Promise<ReplyParts | undefined> => {
	const {dialect, facts} = asked;
	exchange.outcome = 'ok';
	exchange.status = 200;
	exchange.costMicroUsd = 0;
	const headers = {'content-type': 'application/json'};
	if ('body' in answer) return {status: 200, headers, body: JSON.stringify(await guardedBody(gateway, exchange, answer.body as JsonObject))};

	const own = {model: facts.model, exchangeId: exchange.id, at: exchange.at, text: await guardedText(gateway, exchange, answer.text)};
	if (!facts.stream) return {status: 200, headers, body: JSON.stringify(dialect.textReply({...own, usage: nothingUsed}))};

	const body = dialect.textStream(own).join('');
	exchange.response = {sha256: hash('sha256', body, 'hex'), bytes: Buffer.byteLength(body)};
	await finish(gateway, exchange);
	res.writeHead(200, {'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache', 'x-sallyport-exchange': exchange.id}).end(body);
	return undefined;
};
