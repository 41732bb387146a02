import type {Recorded} from './recorded-usage.ts';

const vercel = 'https://github.com/vercel/ai/blob/main/packages/openai/src';
const choices = [
	{index: 0, message: {role: 'assistant', content: '…', refusal: null, annotations: []}, logprobs: null, finish_reason: 'stop'},
];
/** The details of an answer that is text and nothing else. */
const textAlone = {reasoning_tokens: 0, audio_tokens: 0, accepted_prediction_tokens: 0, rejected_prediction_tokens: 0};

export const recordedOfOpenai: Record<string, Recorded> = {
	'OpenAI, a chat completion': {
		source: `${vercel}/chat/__fixtures__/openai-text.json`,
		speaks: 'openai',
		model: 'gpt-4.1-nano',
		body: {
			id: 'chatcmpl-D8Z5f52zQqikDBEKQMQoYcWMcWPeU',
			object: 'chat.completion',
			created: 1_770_933_883,
			model: 'gpt-4.1-nano-2025-04-14',
			choices,
			usage: {
				prompt_tokens: 16,
				completion_tokens: 363,
				total_tokens: 379,
				prompt_tokens_details: {cached_tokens: 0, audio_tokens: 0},
				completion_tokens_details: textAlone,
			},
			service_tier: 'default',
			system_fingerprint: 'fp_de604bd877',
		},
		parts: {input: 16, output: 363},
		costMicroUsd: Math.ceil(16 * 0.1 + 363 * 0.4),
	},
	'OpenAI, a chat completion about a picture': {
		source: 'https://github.com/Arize-ai/openinference/pull/1453',
		speaks: 'openai',
		model: 'gpt-4o',
		body: {
			id: 'chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG',
			object: 'chat.completion',
			created: 1_741_570_283,
			model: 'gpt-4o-2024-08-06',
			choices,
			usage: {
				prompt_tokens: 1_117,
				completion_tokens: 46,
				total_tokens: 1_163,
				prompt_tokens_details: {cached_tokens: 0, audio_tokens: 0},
				completion_tokens_details: textAlone,
			},
			service_tier: 'default',
			system_fingerprint: 'fp_fc9f1d7035',
		},
		parts: {input: 1_117, output: 46},
		costMicroUsd: Math.ceil(1_117 * 2.5 + 46 * 10),
	},
	'OpenAI, a spoken answer': {
		source: `${vercel}/chat/__fixtures__/openai-audio-gpt-audio-1.5.json`,
		speaks: 'openai',
		model: 'gpt-audio',
		body: {
			object: 'chat.completion',
			created: 1_790_134_508,
			model: 'gpt-audio-1.5',
			choices: [{index: 0, message: {role: 'assistant', content: null, audio: {id: 'audio_fixture', data: ''}}, finish_reason: 'stop'}],
			usage: {
				prompt_tokens: 17,
				completion_tokens: 40,
				total_tokens: 57,
				prompt_tokens_details: {cached_tokens: 0, audio_tokens: 0, text_tokens: 17, image_tokens: 0},
				completion_tokens_details: {...textAlone, audio_tokens: 30, text_tokens: 10},
			},
		},
		parts: {input: 17, output: 10, outputAudio: 30},
		// gpt-audio: text 2.50 and 10, sound 64.
		costMicroUsd: Math.ceil(17 * 2.5 + 10 * 10 + 30 * 64),
	},
	'OpenAI, embeddings': {
		source: `${vercel}/embedding/__fixtures__/openai-embedding.json`,
		speaks: 'openai',
		model: 'text-embedding-3-small',
		body: {object: 'list', data: [], model: 'text-embedding-3-small', usage: {prompt_tokens: 12, total_tokens: 12}},
		parts: {input: 12},
		costMicroUsd: Math.ceil(12 * 0.02),
	},
	'OpenAI, a response that read most of its input from the cache': {
		source: 'https://github.com/coder/coder/blob/main/aibridge/fixtures/openai/responses/blocking/cached_input_tokens.txtar',
		speaks: 'openai',
		model: 'gpt-4.1',
		body: {
			object: 'response',
			model: 'gpt-4.1-2025-04-14',
			output: [{type: 'message', role: 'assistant', content: []}],
			service_tier: 'default',
			usage: {
				input_tokens: 12_033,
				input_tokens_details: {cached_tokens: 11_904},
				output_tokens: 44,
				output_tokens_details: {reasoning_tokens: 0},
				total_tokens: 12_077,
			},
		},
		parts: {input: 129, cacheRead: 11_904, output: 44},
		costMicroUsd: Math.ceil(129 * 2 + 11_904 * 0.5 + 44 * 8),
	},
	'OpenAI, a response that searched files and reasoned': {
		source: `${vercel}/responses/__fixtures__/openai-file-search-tool.2.json`,
		speaks: 'openai',
		model: 'gpt-5-mini',
		body: {
			object: 'response',
			model: 'gpt-5-mini-2025-08-07',
			output: [
				{type: 'reasoning', summary: []},
				{type: 'file_search_call', status: 'completed', queries: []},
				{type: 'message', content: []},
			],
			service_tier: 'default',
			usage: {
				input_tokens: 3_678,
				input_tokens_details: {cached_tokens: 2_304},
				output_tokens: 536,
				output_tokens_details: {reasoning_tokens: 448},
				total_tokens: 4_214,
			},
		},
		parts: {input: 1_374, cacheRead: 2_304, output: 88, reasoning: 448},
		counts: {fileSearches: 1},
		// 2.50 for a thousand searches of files.
		costMicroUsd: Math.ceil(1_374 * 0.25 + 2_304 * 0.025 + 536 * 2) + 2_500,
	},
	'OpenAI, a response that searched the web twice': {
		source: `${vercel}/responses/__fixtures__/openai-web-search-tool.1.json`,
		speaks: 'openai',
		model: 'gpt-4o',
		body: {
			object: 'response',
			model: 'gpt-4o-2024-07-18',
			output: [
				{type: 'web_search_call', status: 'completed', action: {type: 'search', query: 'Vercel AI SDK next version features'}},
				{type: 'web_search_call', status: 'completed', action: {type: 'search'}},
				{type: 'message', role: 'assistant', content: []},
			],
			usage: {
				input_tokens: 327,
				input_tokens_details: {cached_tokens: 0},
				output_tokens: 770,
				output_tokens_details: {reasoning_tokens: 0},
				total_tokens: 1_097,
			},
		},
		parts: {input: 327, output: 770},
		counts: {webSearches: 2},
		costMicroUsd: Math.ceil(327 * 2.5 + 770 * 10) + 2 * 10_000,
	},
	'OpenAI, a response that says how often it searched': {
		source: `${vercel}/responses/__fixtures__/issue-19921-prompt-cache-breakpoint.json`,
		speaks: 'openai',
		model: 'gpt-5.1',
		body: {
			object: 'response',
			model: 'gpt-5.6-sol',
			output: [{type: 'message', content: []}],
			service_tier: 'default',
			tool_usage: {
				image_gen: {input_tokens: 0, output_tokens: 0, total_tokens: 0},
				web_search: {num_requests: 0},
			},
			usage: {
				input_tokens: 41,
				input_tokens_details: {cache_write_tokens: 0, cached_tokens: 0},
				output_tokens: 5,
				output_tokens_details: {reasoning_tokens: 0},
				total_tokens: 46,
			},
		},
		parts: {input: 41, output: 5},
		costMicroUsd: Math.ceil(41 * 1.25 + 5 * 10),
	},
	'OpenAI, the same answer had it been served with priority': {
		source: 'https://openai.com/api-priority-processing/',
		speaks: 'openai',
		model: 'gpt-4o-mini',
		body: {
			object: 'chat.completion',
			model: 'gpt-4o-mini-2024-07-18',
			choices: [],
			usage: {prompt_tokens: 1_000, completion_tokens: 100, total_tokens: 1_100, prompt_tokens_details: {cached_tokens: 400}},
			service_tier: 'priority',
		},
		parts: {input: 600, cacheRead: 400, output: 100},
		tiers: ['priority'],
		// 0.25, 0.125 and 1.00 on that page.
		costMicroUsd: Math.ceil(600 * 0.25 + 400 * 0.125 + 100 * 1),
	},
	'OpenAI, an answer of flex processing': {
		source: 'https://developers.openai.com/api/docs/guides/flex-processing',
		speaks: 'openai',
		model: 'o3',
		body: {
			object: 'chat.completion',
			model: 'o3-2025-04-16',
			choices: [],
			usage: {prompt_tokens: 2_000, completion_tokens: 1_000, total_tokens: 3_000, completion_tokens_details: {reasoning_tokens: 640}},
			service_tier: 'flex',
		},
		parts: {input: 2_000, output: 360, reasoning: 640},
		tiers: ['flex'],
		costMicroUsd: (2_000 * 2 + 1_000 * 8) / 2,
	},
};
