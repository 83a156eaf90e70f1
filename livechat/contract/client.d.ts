// The client of livechat.js; above are the server's messages, made from the server itself.

/** What `subscribe` takes: a chat and its options. */
export type Chat = Omit<Subscribe, "type">;

export type Subscription = Readonly<Chat>;

export interface Command {
  type: string;
  [field: string]: unknown;
}

export type State = "connecting" | "open" | "lost" | "closed";

/** What the client tells its listeners: an `Event` with further fields. */
export class LiveChatEvent extends Event {
  constructor(type: string, fields: object);
}

export type MessageEventOf<Message> = LiveChatEvent & {
  readonly message: Message;
  /** The message as it was sent. */
  readonly text: string;
  /** Of a status or an error: the subscription that it is about. */
  readonly subscription: Subscription | null;
  /** Of an error: milliseconds until the chat is asked for again; null where that would not help. */
  readonly retryIn: number | null;
};

export interface LiveChatEvents {
  chat: MessageEventOf<ChatMessage>;
  event: MessageEventOf<EventMessage>;
  stats: MessageEventOf<StatsMessage>;
  status: MessageEventOf<StatusMessage>;
  error: MessageEventOf<ErrorMessage>;
  message: MessageEventOf<Record<string, unknown>>;
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
}

export interface LiveChatOptions {
  /** The class to connect with; the global one. */
  WebSocket?: new (address: string) => EventTarget & { send(text: string): void; close(code?: number): void };
  /** Whether a chat that cannot be had for now is asked for again; true. */
  retryChats?: boolean;
  /** 0 to 1; `Math.random`. */
  random?: () => number;
}

/** An `EventTarget` whose listeners are told by the type of event what they get. */
declare const TypedEventTarget: new () => Omit<EventTarget, "addEventListener" | "removeEventListener">;

/** A connection that the first `subscribe` opens, and that is kept up until `close`. */
export class LiveChat extends TypedEventTarget {
  /** `address` may be left out where the module was loaded from the server. */
  constructor(address?: string | URL | null, options?: LiveChatOptions);
  get state(): State;
  /** What is subscribed to, or asked for again from time to time. */
  get subscriptions(): Subscription[];
  /** Subscribes now and after every loss; the same chat again takes the earlier one's place. */
  subscribe(chat: Chat): Subscription;
  unsubscribe(chat: Chat): void;
  /** False while there is no connection. */
  send(command: Command): boolean;
  /** Lets go of everything; a later `subscribe` begins anew. */
  close(): void;
  addEventListener<Type extends keyof LiveChatEvents>(
    type: Type,
    listener: (event: LiveChatEvents[Type]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<Type extends keyof LiveChatEvents>(
    type: Type,
    listener: (event: LiveChatEvents[Type]) => void,
    options?: boolean | EventListenerOptions,
  ): void;
}

/** Why the server closes a connection, in words. */
export const CLOSE_CODES: Readonly<Record<number, string>>;

/** The server's WebSocket, where the module was loaded from a server. */
export function defaultAddress(): string | null;

// Only what is marked so is exported.
export {};
