import type {Parts, Usage} from '../../schemas/usage.ts';

/**
 * Answers as providers sent them, down to what tells of their usage (the words of an answer are left out), each with
 * where it was recorded or published, what it is in parts, and what it costs by the providers' public price pages,
 * worked out by hand: https://developers.openai.com/api/docs/pricing and https://platform.claude.com/docs/en/about-claude/pricing,
 * November 2026. `usdPerMTok` and `micro` are that sum: tokens times US dollars per million are micro-dollars.
 */
export type Recorded = {
	source: string;
	speaks: 'openai' | 'anthropic';
	model: string;
	/** The body of an answer, or the events of a stream. */
	body?: Record<string, unknown>;
	events?: Record<string, unknown>[];
	parts: Parts;
	counts?: Usage['counts'];
	tiers?: string[];
	/** Undefined where the price of something in it is published nowhere. */
	costMicroUsd: number | undefined;
};

const vercel = 'https://github.com/vercel/ai/blob/main/packages';

export const recorded: Record<string, Recorded> = {
	'OpenAI, a chat completion': {
		source: `${vercel}/openai/src/chat/__fixtures__/openai-text.json`,
		speaks: 'openai',
		model: 'gpt-4.1-nano',
		body: {
			id: 'chatcmpl-D8Z5f52zQqikDBEKQMQoYcWMcWPeU',
			object: 'chat.completion',
			created: 1_770_933_883,
			model: 'gpt-4.1-nano-2025-04-14',
			choices: [
				{index: 0, message: {role: 'assistant', content: '…', refusal: null, annotations: []}, logprobs: null, finish_reason: 'stop'},
			],
			usage: {
				prompt_tokens: 16,
				completion_tokens: 363,
				total_tokens: 379,
				prompt_tokens_details: {cached_tokens: 0, audio_tokens: 0},
				completion_tokens_details: {
					reasoning_tokens: 0,
					audio_tokens: 0,
					accepted_prediction_tokens: 0,
					rejected_prediction_tokens: 0,
				},
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
			choices: [
				{index: 0, message: {role: 'assistant', content: '…', refusal: null, annotations: []}, logprobs: null, finish_reason: 'stop'},
			],
			usage: {
				prompt_tokens: 1_117,
				completion_tokens: 46,
				total_tokens: 1_163,
				prompt_tokens_details: {cached_tokens: 0, audio_tokens: 0},
				completion_tokens_details: {
					reasoning_tokens: 0,
					audio_tokens: 0,
					accepted_prediction_tokens: 0,
					rejected_prediction_tokens: 0,
				},
			},
			service_tier: 'default',
			system_fingerprint: 'fp_fc9f1d7035',
		},
		parts: {input: 1_117, output: 46},
		costMicroUsd: Math.ceil(1_117 * 2.5 + 46 * 10),
	},
	'OpenAI, a spoken answer': {
		source: `${vercel}/openai/src/chat/__fixtures__/openai-audio-gpt-audio-1.5.json`,
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
				completion_tokens_details: {
					reasoning_tokens: 0,
					audio_tokens: 30,
					accepted_prediction_tokens: 0,
					rejected_prediction_tokens: 0,
					text_tokens: 10,
				},
			},
		},
		parts: {input: 17, output: 10, outputAudio: 30},
		// gpt-audio: text 2.50 and 10, sound 64.
		costMicroUsd: Math.ceil(17 * 2.5 + 10 * 10 + 30 * 64),
	},
	'OpenAI, embeddings': {
		source: `${vercel}/openai/src/embedding/__fixtures__/openai-embedding.json`,
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
		source: `${vercel}/openai/src/responses/__fixtures__/openai-file-search-tool.2.json`,
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
		source: `${vercel}/openai/src/responses/__fixtures__/openai-web-search-tool.1.json`,
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
		source: `${vercel}/openai/src/responses/__fixtures__/issue-19921-prompt-cache-breakpoint.json`,
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
	'Anthropic, a message that thought': {
		source: `${vercel}/anthropic/src/__fixtures__/anthropic-claude-opus-5-reasoning-high.1.json`,
		speaks: 'anthropic',
		model: 'claude-opus-4-8',
		body: {
			model: 'claude-opus-5',
			id: 'msg_011CdMNhurHSJCxCC2NB7WYc',
			type: 'message',
			role: 'assistant',
			content: [],
			stop_reason: 'end_turn',
			usage: {
				input_tokens: 51,
				cache_creation_input_tokens: 0,
				cache_read_input_tokens: 0,
				cache_creation: {ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0},
				output_tokens: 1_699,
				output_tokens_details: {thinking_tokens: 139},
				service_tier: 'standard',
				inference_geo: 'global',
			},
		},
		parts: {input: 51, output: 1_560, reasoning: 139},
		costMicroUsd: Math.ceil(51 * 5 + 1_699 * 25),
	},
	'Anthropic, a message that searched the web twice': {
		source: `${vercel}/anthropic/src/__fixtures__/anthropic-web-search-tool.1.json`,
		speaks: 'anthropic',
		model: 'claude-sonnet-4-5',
		body: {
			type: 'message',
			role: 'assistant',
			content: [],
			usage: {
				input_tokens: 27_118,
				cache_creation_input_tokens: 0,
				cache_read_input_tokens: 0,
				cache_creation: {ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0},
				output_tokens: 600,
				service_tier: 'standard',
				server_tool_use: {web_search_requests: 2, web_fetch_requests: 0},
			},
		},
		parts: {input: 27_118, output: 600},
		counts: {webSearches: 2},
		costMicroUsd: Math.ceil(27_118 * 3 + 600 * 15) + 2 * 10_000,
	},
	'Anthropic, cache entries of an hour': {
		source: 'https://platform.claude.com/docs/en/build-with-claude/prompt-caching (the figures: one turn of a recorded agent session)',
		speaks: 'anthropic',
		model: 'claude-opus-4-8',
		body: {
			type: 'message',
			content: [],
			usage: {
				input_tokens: 2,
				cache_creation_input_tokens: 43_331,
				cache_read_input_tokens: 0,
				output_tokens: 1_027,
				output_tokens_details: {thinking_tokens: 864},
				server_tool_use: {web_search_requests: 0},
				cache_creation: {ephemeral_1h_input_tokens: 43_331, ephemeral_5m_input_tokens: 0},
				service_tier: 'standard',
				speed: 'standard',
			},
		},
		parts: {input: 2, cacheWrite1h: 43_331, output: 163, reasoning: 864},
		costMicroUsd: Math.ceil(2 * 5 + 43_331 * 10 + 1_027 * 25),
	},
	'Anthropic, both kinds of cache entries': {
		source: 'https://platform.claude.com/docs/en/build-with-claude/prompt-caching#1-hour-cache-duration',
		speaks: 'anthropic',
		model: 'claude-sonnet-4-5',
		body: {
			type: 'message',
			content: [],
			usage: {
				input_tokens: 2_048,
				cache_read_input_tokens: 1_800,
				cache_creation_input_tokens: 248,
				output_tokens: 503,
				cache_creation: {ephemeral_5m_input_tokens: 148, ephemeral_1h_input_tokens: 100},
			},
		},
		parts: {input: 2_048, cacheRead: 1_800, cacheWrite: 148, cacheWrite1h: 100, output: 503},
		costMicroUsd: Math.ceil(2_048 * 3 + 1_800 * 0.3 + 148 * 3.75 + 100 * 6 + 503 * 15),
	},
	'Anthropic, a conversation that was summarised on the way': {
		source: `${vercel}/anthropic/src/__fixtures__/anthropic-compaction.1.json`,
		speaks: 'anthropic',
		model: 'claude-opus-4-6',
		body: {
			type: 'message',
			content: [],
			usage: {
				input_tokens: 682,
				cache_creation_input_tokens: 0,
				cache_read_input_tokens: 0,
				cache_creation: {ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0},
				iterations: [
					{input_tokens: 60_385, output_tokens: 592, cache_read_input_tokens: 0, cache_creation_input_tokens: 0, type: 'compaction'},
					{input_tokens: 682, output_tokens: 1_320, cache_read_input_tokens: 0, cache_creation_input_tokens: 0, type: 'message'},
				],
				output_tokens: 1_320,
				service_tier: 'standard',
				inference_geo: 'global',
				server_tool_use: {web_search_requests: 0},
			},
		},
		parts: {input: 682 + 60_385, output: 1_320 + 592},
		costMicroUsd: Math.ceil(61_067 * 5 + 1_912 * 25),
	},
	'Anthropic, a message that asked another model for advice': {
		source: `${vercel}/anthropic/src/__fixtures__/anthropic-advisor-20260301.1.json`,
		speaks: 'anthropic',
		model: 'claude-sonnet-4-6',
		body: {
			type: 'message',
			content: [],
			usage: {
				input_tokens: 2_414,
				cache_creation_input_tokens: 0,
				cache_read_input_tokens: 0,
				iterations: [
					{input_tokens: 1_051, output_tokens: 35, cache_read_input_tokens: 0, cache_creation_input_tokens: 0, type: 'message'},
					{
						input_tokens: 2_728,
						output_tokens: 874,
						cache_read_input_tokens: 0,
						cache_creation_input_tokens: 0,
						type: 'advisor_message',
						model: 'claude-opus-4-7',
					},
					{input_tokens: 1_363, output_tokens: 3_165, cache_read_input_tokens: 0, cache_creation_input_tokens: 0, type: 'message'},
				],
				output_tokens: 3_200,
				service_tier: 'standard',
				inference_geo: 'global',
			},
		},
		parts: {input: 2_414, output: 3_200},
		counts: {otherModelTokens: 3_602},
		// The other model's price is not this deployment's.
		costMicroUsd: undefined,
	},
	'Anthropic, a stream whose later figures are larger': {
		source: `${vercel}/anthropic/src/__fixtures__/anthropic-code-execution-20260120-prompt-cache.1.chunks.txt`,
		speaks: 'anthropic',
		model: 'claude-sonnet-4-6',
		events: [
			{
				type: 'message_start',
				message: {
					type: 'message',
					content: [],
					usage: {
						input_tokens: 2,
						cache_creation_input_tokens: 3_068,
						cache_read_input_tokens: 0,
						cache_creation: {ephemeral_5m_input_tokens: 3_068, ephemeral_1h_input_tokens: 0},
						output_tokens: 69,
						service_tier: 'standard',
						inference_geo: 'global',
					},
				},
			},
			{
				type: 'message_delta',
				delta: {stop_reason: 'end_turn', stop_sequence: null},
				usage: {
					input_tokens: 6,
					cache_creation_input_tokens: 3_337,
					cache_read_input_tokens: 6_289,
					output_tokens: 198,
					output_tokens_details: {thinking_tokens: 0},
					server_tool_use: {web_search_requests: 0, web_fetch_requests: 0},
				},
			},
			{type: 'message_stop'},
		],
		parts: {input: 6, cacheRead: 6_289, cacheWrite: 3_337, cacheWrite1h: 0, output: 198},
		costMicroUsd: Math.ceil(6 * 3 + 6_289 * 0.3 + 3_337 * 3.75 + 198 * 15),
	},
	'Anthropic, a stream that corrects its input at the end': {
		source: `${vercel}/anthropic/src/__fixtures__/anthropic-message-delta-input-tokens.chunks.txt`,
		speaks: 'anthropic',
		model: 'claude-opus-4-5',
		events: [
			{type: 'message_start', message: {type: 'message', content: [], usage: {input_tokens: 43, output_tokens: 1}}},
			{type: 'message_delta', delta: {stop_reason: 'end_turn', stop_sequence: null}, usage: {input_tokens: 61, output_tokens: 2}},
		],
		parts: {input: 61, output: 2},
		costMicroUsd: Math.ceil(61 * 5 + 2 * 25),
	},
	'Anthropic, fast and in the United States alone': {
		source: 'https://platform.claude.com/docs/en/build-with-claude/fast-mode',
		speaks: 'anthropic',
		model: 'claude-opus-4-6',
		body: {
			type: 'message',
			content: [],
			usage: {
				input_tokens: 1_000,
				cache_creation_input_tokens: null,
				cache_read_input_tokens: null,
				cache_creation: null,
				output_tokens: 500,
				output_tokens_details: null,
				server_tool_use: null,
				service_tier: 'standard',
				inference_geo: 'us',
				speed: 'fast',
			},
		},
		parts: {input: 1_000, output: 500},
		tiers: ['fast', 'geo-us'],
		costMicroUsd: Math.ceil((1_000 * 30 * 11 + 500 * 150 * 11) / 10),
	},
};
