/**
 * Words that the two wire formats consist of. A guard that changed one would break the answer; and each is no more than itself, so nothing
 * can be said with it.
 */
export const protocolWords: ReadonlySet<string> = new Set([
	...['assistant', 'tool', 'user', 'system', 'developer', 'function', 'custom', 'message', 'text', 'thinking', 'redacted_thinking'],
	...['chat.completion.chunk', 'chat.completion', 'list', 'embedding', 'model', 'error', 'ping'],
	...['stop', 'length', 'tool_calls', 'content_filter', 'function_call', 'insufficient_system_resource'],
	...['end_turn', 'max_tokens', 'stop_sequence', 'tool_use', 'pause_turn', 'refusal', 'model_context_window_exceeded', 'compaction'],
	...[
		'default',
		'auto',
		'standard',
		'standard_only',
		'priority',
		'batch',
		'flex',
		'scale',
		'ephemeral',
		'global',
		'us',
		'eu',
		'not_available',
	],
	...['message_start', 'message_delta', 'message_stop', 'content_block_start', 'content_block_delta', 'content_block_stop'],
	...['text_delta', 'input_json_delta', 'thinking_delta', 'signature_delta', 'citations_delta'],
	...['server_tool_use', 'web_search_tool_result', 'web_search_result', 'web_search_result_location', 'direct', 'caller'],
	...['char_location', 'page_location', 'content_block_location', 'search_result_location', 'document_index', 'cited_text'],
	...['start_char_index', 'end_char_index', 'document_title', 'start_page_number', 'end_page_number', 'start_block_index'],
	...['end_block_index', 'url_citation', 'start_index', 'end_index', 'page_age', 'content_block', 'applied_edits'],
	...['prompt_tokens', 'completion_tokens', 'total_tokens', 'prompt_tokens_details', 'completion_tokens_details', 'cached_tokens'],
	...['audio_tokens', 'reasoning_tokens', 'accepted_prediction_tokens', 'rejected_prediction_tokens', 'input_tokens', 'output_tokens'],
	...['cache_creation', 'cache_creation_input_tokens', 'cache_read_input_tokens', 'ephemeral_5m_input_tokens'],
	...['ephemeral_1h_input_tokens', 'web_search_requests', 'web_fetch_requests', 'output_tokens_details', 'thinking_tokens', 'queue_time'],
]);
