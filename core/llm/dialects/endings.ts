/** Reasons for the end of an answer that may stand in the middle of a tool call: it came to its greatest length, or a filter ended it. */
export const breaksOff: ReadonlySet<unknown> = new Set([
	'length',
	'content_filter',
	'max_tokens',
	'model_context_window_exceeded',
	'refusal',
]);

/** Reasons for the end of an answer that has tool calls for its client. */
export const asksForCalls: ReadonlySet<unknown> = new Set(['tool_calls', 'function_call', 'tool_use']);
