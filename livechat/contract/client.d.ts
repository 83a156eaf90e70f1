// The client of livechat.js; above are the server's messages, made from the server itself.

/** A chat and its options, as `subscribe` takes them; also options that only a later server knows. */
export type Chat = Omit<Subscribe, "type"> & { [option: string]: unknown };

/** The options alone. */
export type ChatOptions = Partial<Omit<Subscribe, "type" | "platform" | "identifier" | "identifierType">> & {
  [option: string]: unknown;
};

/** A place in the order of a chat, as `since` takes it. */
export interface Position {
  epoch: string;
  seq: number;
}

export interface Command {
  type: string;
  [field: string]: unknown;
}

export type State = "connecting" | "open" | "lost" | "closed";

/** What listeners are told: an `Event` with further fields. */
export class LiveChatEvent extends Event {
  constructor(type: string, fields: object);
}

/** A message of the server. */
export type MessageEventOf<Message> = LiveChatEvent & {
  readonly message: Message;
  /** The message as it was sent. */
  readonly text: string;
  /** The subscription that it is about; null where it is about none, or nobody knows. */
  readonly subscription: Subscription | null;
};

/** A chat or an event; `data` is what is inside: the author and the text, or what the kind has. */
export type PublicationOf<Message, Data> = MessageEventOf<Message> & {
  readonly data: Data;
  /** Whether it happened before the chat started here: history, or what was missed. */
  readonly isReplayed: boolean;
};

/** An event of one kind, as the server sends it. */
export type EventOfKind<Kind extends EventKind> = Omit<EventMessage, "data"> & {
  data: Extract<EventItem, { type: Kind }>;
};

/** What the listeners of one chat are told, by the type of event. */
export type SubscriptionEvents = {
  chat: PublicationOf<ChatMessage, ChatMessage["data"]["data"]>;
  event: PublicationOf<EventMessage, EventMessage["data"]["data"]>;
  stats: MessageEventOf<StatsMessage> & { readonly data: StatsMessage["data"] };
  status: MessageEventOf<StatusMessage>;
  error: MessageEventOf<ErrorMessage> & {
    /** Milliseconds until the chat is asked for again, or null. */
    readonly retryIn: number | null;
    /** Whether the subscription has ended with this. */
    readonly isGivenUp: boolean;
  };
  /** Part of a chat cannot be had any more; with the `started` that says so. */
  missed: MessageEventOf<StatusMessage>;
} & {
  [Kind in EventKind as `event:${Kind}`]: PublicationOf<EventOfKind<Kind>, EventOfKind<Kind>["data"]["data"]>;
};

/** What the listeners of a client are told, by the type of event. */
export type LiveChatEvents = SubscriptionEvents & {
  /** Every message of the server, known or not; `subscription` also where it is about a chat. */
  message: MessageEventOf<{ readonly [field: string]: unknown }>;
  /** A command that left. */
  sent: LiveChatEvent & { readonly message: Command; readonly text: string };
  state: LiveChatEvent & {
    readonly state: State;
    /** With `connecting`: how many attempts failed before. */
    readonly attempt?: number;
    /** With `lost`: of the close. */
    readonly code?: number;
    readonly reason?: string;
    /** With `lost`: milliseconds until the next attempt. */
    readonly retryIn?: number;
  };
};

export interface LiveChatOptions {
  /** The class to connect with; the global one. */
  WebSocket?: new (address: string) => {
    addEventListener(type: "open" | "message" | "close" | "error", listener: (event: any) => void): void;
    send(text: string): void;
    close(code?: number): void;
  };
  /** Whether a chat that cannot be had for now is asked for again; true. */
  retryChats?: boolean;
  /** Keeps the places in the chats, so that a later client goes on there: `sessionStorage`. */
  storage?: { getItem(name: string): string | null; setItem(name: string, text: string): void } | null;
  /** 0 to 1; `Math.random`. */
  random?: () => number;
}

/** An `EventTarget` whose listeners are told by the type of event what they get. */
declare class TypedEventTarget<Events> {
  addEventListener<Type extends keyof Events & string>(
    type: Type,
    listener: (event: Events[Type]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<Type extends keyof Events & string>(
    type: Type,
    listener: (event: Events[Type]) => void,
    options?: boolean | EventListenerOptions,
  ): void;
  dispatchEvent(event: Event): boolean;
}

/** A chat that is subscribed to; made by `LiveChat.subscribe`. */
export class Subscription extends TypedEventTarget<SubscriptionEvents> {
  private constructor();
  readonly platform?: string;
  readonly identifier: string;
  readonly identifierType?: Chat["identifierType"];
  /** What this chat is called in commands. */
  get id(): string | number;
  /** The options as they were asked for last. */
  get options(): Readonly<ChatOptions>;
  /** The place up to which the chat was received, or null. */
  get position(): Position | null;
  /** Changes some options; those that are undefined return to their defaults. */
  change(options: ChatOptions): void;
  /** Asks for the statistics; they come as `stats`. False while there is no connection. */
  getStats(): boolean;
  /** Lets go of the chat; the connection stays. */
  unsubscribe(): void;
}

/** A connection that the first `subscribe` opens, and that is kept up until `close`. */
export class LiveChat extends TypedEventTarget<LiveChatEvents> {
  /** `address` may be left out where the module was loaded from the server. */
  constructor(address?: string | URL | null, options?: LiveChatOptions);
  get state(): State;
  /** What is subscribed to, or asked for again from time to time. */
  get subscriptions(): Subscription[];
  /** Subscribes now and after every loss; for a held chat, states its options anew. */
  subscribe(chat: Chat): Subscription;
  /** Lets go of a chat, named by its subscription or as for `subscribe`. */
  unsubscribe(chat: Subscription | Pick<Chat, "platform" | "identifier" | "identifierType">): void;
  /** False while there is no connection. */
  send(command: Command): boolean;
  /** Lets go of everything; a later `subscribe` begins anew. */
  close(): void;
}

/** Why the server closes a connection, in words. */
export const CLOSE_CODES: Readonly<Record<number, string>>;

/** The server's WebSocket, where the module was loaded from a server. */
export function defaultAddress(): string | null;

// Only what is marked so is exported.
export {};
