import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import type {StoredRecord} from '../../core/journal/journal.ts';
import type {TestGateway} from './gateway.ts';

type Options = {apiKey: string; maxRetries?: number; headers?: Record<string, string>};

/** The official SDK as an application has it; it retries nothing unless told to. */
export const openaiClient = ({url}: Pick<TestGateway, 'url'>, {apiKey, maxRetries = 0, headers}: Options): OpenAI =>
	new OpenAI({baseURL: `${url}/v1`, apiKey, maxRetries, defaultHeaders: headers});

/** The official SDK as an application has it; it retries nothing unless told to. */
export const anthropicClient = ({url}: Pick<TestGateway, 'url'>, {apiKey, maxRetries = 0, headers}: Options): Anthropic =>
	new Anthropic({baseURL: url, apiKey, maxRetries, defaultHeaders: headers});

/** The records of exchanges with models, in the order they ended. */
export const modelRecords = async (gateway: TestGateway): Promise<StoredRecord[]> =>
	(await gateway.journal()).filter(({kind, surface}) => kind === 'exchange' && surface !== 'admin');

/** Waits until `question` answers something, for ten seconds at most. */
export const eventually = async <T>(question: () => Promise<T | undefined> | T | undefined): Promise<T> => {
	const until = performance.now() + 10_000;
	for (;;) {
		const answer = await question();
		if (answer !== undefined) return answer;
		if (performance.now() > until) throw new Error('it never came');
		await new Promise(resolve => setTimeout(resolve, 10));
	}
};

export const user = (content: string) => [{role: 'user' as const, content}];

export const weather = {
	type: 'function' as const,
	function: {
		name: 'weather',
		description: 'The weather of a city.',
		parameters: {type: 'object', properties: {city: {type: 'string'}}, required: ['city']},
	},
};
