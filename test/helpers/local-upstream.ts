import {setTimeout as sleep} from 'node:timers/promises';
import Anthropic from '@anthropic-ai/sdk';
import type {ExecutionContext} from 'ava';
import OpenAI from 'openai';
import {startLocalUpstream} from '../../examples/local-upstream/server.ts';

export const hi = [{role: 'user' as const, content: 'hello there'}];

/** A local upstream for this test alone, and who may ask it: both SDKs, and a bare `post`. */
export const upstreamAndClients = async (t: ExecutionContext, options: {longestMs?: number} = {}) => {
	const upstream = await startLocalUpstream(options);
	t.teardown(upstream.close);
	return {
		upstream,
		openai: new OpenAI({baseURL: `${upstream.url}/v1`, apiKey: 'provider-key', maxRetries: 0}),
		anthropic: new Anthropic({baseURL: upstream.url, apiKey: 'provider-key', maxRetries: 0}),
		post: (path: string, body: unknown, headers: {[name: string]: string} = {}) =>
			fetch(upstream.url + path, {
				method: 'POST',
				headers: {authorization: 'Bearer provider-key', 'content-type': 'application/json', ...headers},
				body: JSON.stringify(body),
			}),
	};
};

/** Waits until `holds`, for two seconds at most: whoever asked sees what came of it. */
export const until = async (holds: () => boolean) => {
	for (let tries = 0; tries < 200 && !holds(); tries++) await sleep(10);
};

/** Reads a stream as far as it goes. */
export const readAll = async (response: Response): Promise<{text: string; broke: boolean}> => {
	const decoder = new TextDecoder();
	let text = '';
	try {
		for await (const part of response.body ?? []) text += decoder.decode(part, {stream: true});
		return {text, broke: false};
	} catch {
		return {text, broke: true};
	}
};
