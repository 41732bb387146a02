import type {Parts, Usage} from '../../schemas/usage.ts';
import {recordedOfAnthropic} from './recorded-usage-of-anthropic.ts';
import {recordedOfOpenai} from './recorded-usage-of-openai.ts';

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

export const recorded: Record<string, Recorded> = {...recordedOfOpenai, ...recordedOfAnthropic};
