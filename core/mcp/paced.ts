/** At a time: whoever says more different things has some of them left out. */
const mostResting = 300;

/**
 * Says each message at once, and the same one again only after `restMs`, once, however often it came meanwhile: whoever hears a notice asks for
 * more, so a flood of them would be one of questions.
 */
export const openPaced = <Message>(say: (message: Message) => void, restMs: number): ((message: Message) => void) => {
	const resting = new Map<string, {cameAgain: boolean}>();
	const tell = (message: Message): void => {
		const name = JSON.stringify(message);
		const rest = resting.get(name);
		if (rest) rest.cameAgain = true;
		if (rest || resting.size >= mostResting) return;
		const own = {cameAgain: false};
		resting.set(name, own);
		setTimeout(() => {
			resting.delete(name);
			if (own.cameAgain) tell(message);
		}, restMs).unref();
		say(message);
	};
	return tell;
};
