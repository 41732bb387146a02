/** Fields that carry a name of the wire format, an identifier or a digest; a value of one word in them is not text. */
export const structural: ReadonlySet<string> = new Set([
	...['model', 'role', 'type', 'id', 'object', 'index', 'status', 'phase', 'format', 'detail', 'mode', 'effort', 'verbosity'],
	...['tool_call_id', 'tool_use_id', 'call_id', 'item_id', 'response_id', 'previous_response_id', 'file_id', 'container_id', 'message_id'],
	...['finish_reason', 'stop_reason', 'native_finish_reason', 'encoding_format', 'media_type', 'service_tier', 'system_fingerprint'],
	...['tool_choice', 'reasoning_effort', 'response_format', 'ttl', 'inference_geo', 'speed'],
]);

/** Fields whose value is bytes that nobody can read: signatures and ciphers. */
export const opaque: ReadonlySet<string> = new Set([
	...['signature', 'encrypted_content', 'encrypted_index', 'encrypted_stdout', 'thought_signature', 'obfuscation'],
]);

/** Fields that may hold a picture, a sound or a file as base64 or as a data: URI. */
export const media: ReadonlySet<string> = new Set(['data', 'url', 'image_url', 'file_data', 'file_url', 'b64_json', 'image', 'audio']);

/** The parts of a message that are not text, by `type`. */
export const mediaParts: ReadonlySet<string> = new Set([
	...['image', 'image_url', 'input_image', 'audio', 'input_audio', 'video', 'video_url', 'input_video', 'file', 'input_file', 'document'],
	...['container_upload', 'redacted_thinking'],
]);

/** Numbers that are times, seeds or counts, not something a person wrote. */
export const countingNumbers: ReadonlySet<string> = new Set(['created', 'created_at', 'expires_at', 'expires_after', 'seed', 'usage']);

/** Names of fields in both wire formats; any other key may be words of a user's and is read as text. */
export const wireKeys: ReadonlySet<string> = new Set([
	...structural,
	...opaque,
	...media,
	...mediaParts,
	...countingNumbers,
	...['messages', 'content', 'text', 'system', 'input', 'prompt', 'tools', 'function', 'functions', 'name', 'description', 'parameters'],
	...[
		'arguments',
		'tool_calls',
		'function_call',
		'custom',
		'input_schema',
		'properties',
		'required',
		'items',
		'enum',
		'additionalProperties',
	],
	...['anyOf', 'oneOf', 'allOf', 'default', 'title', 'minimum', 'maximum', 'strict', 'schema', 'json_schema', 'source', 'cache_control'],
	...['temperature', 'top_p', 'top_k', 'n', 'stream', 'stream_options', 'include_usage', 'include_obfuscation', 'stop', 'stop_sequences'],
	...['max_tokens', 'max_completion_tokens', 'max_output_tokens', 'presence_penalty', 'frequency_penalty', 'logit_bias', 'logprobs'],
	...[
		'top_logprobs',
		'user',
		'user_id',
		'prompt_cache_key',
		'safety_identifier',
		'metadata',
		'store',
		'parallel_tool_calls',
		'disable_parallel_tool_use',
		'modalities',
		'prediction',
	],
	...['reasoning', 'reasoning_content', 'thinking', 'budget_tokens', 'summary', 'refusal', 'annotations', 'citations', 'citation'],
	...['choices', 'message', 'delta', 'error', 'code', 'param', 'stop_sequence', 'stop_details', 'container', 'context_management'],
	...['extra_content', 'google', 'reasoning_details', 'images'],
	...['dimensions', 'embedding', 'filename', 'transcript', 'output', 'result', 'is_error', 'context', 'content_block', 'partial_json'],
]);
