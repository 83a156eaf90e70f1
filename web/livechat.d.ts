// SPDX-License-Identifier: MIT
// Types of livechat.js and of the server's messages.  Servers add fields, which are of unknown type here.

/** A platform that the daemon serves; more than these may be installed. */
export type Platform = "youtube" | "twitch" | "tiktok" | (string & {});

/** What `subscribe` takes: a chat, and whatever other options the server knows. */
export interface Chat {
  platform?: Platform;
  identifier: string;
  identifierType?: "username" | "channelId" | "liveId";
  events?: boolean | string[];
  [option: string]: unknown;
}

export type Subscription = Readonly<Chat>;

export interface Roles {
  broadcaster: boolean;
  moderator: boolean;
  subscriber: boolean;
  verified: boolean;
}

export interface Badge {
  type: "subscriber" | "moderator" | "verified" | "custom";
  label: string;
  image_url: string | null;
  /** Of a Twitch subscriber: the exact months, and the tier where the badge shows one. */
  months?: number;
  tier?: string;
  [addition: string]: unknown;
}

export interface Author {
  id: string;
  username: string;
  display_name: string;
  avatar_url: string | null;
  roles: Roles;
  badges: Badge[];
  color?: string;
  [addition: string]: unknown;
}

/** A piece of a message: `content.raw.slice(...position) === value`. */
export interface ContentElement {
  type: "text" | "emote";
  value: string;
  position: [start: number, end: number];
  metadata?: {
    url: string;
    alt: string;
    is_custom: boolean;
    bits?: number;
    gif?: boolean;
    [addition: string]: unknown;
  };
}

export interface Content {
  raw: string;
  formatted: string;
  sanitized: string;
  /** HTML; put it into a page only under a policy that forbids inline scripts. */
  rawHtml: string;
  elements: ContentElement[];
}

export interface MonetaryData {
  amount: string;
  formatted: string;
  color?: string;
  value?: number;
  /** ISO 4217, or `BITS`, `DIAMONDS`, `JEWELS`. */
  currency?: string;
  [addition: string]: unknown;
}

/** A message that somebody wrote. */
export interface ChatItem {
  type: "chat";
  platform: Platform;
  timestamp: string;
  message_id: string;
  room_id: string;
  data: {
    author: Author;
    content: Content;
    metadata: {
      type: "chat" | "super_chat";
      monetary_data?: MonetaryData;
      sticker?: { url: string; alt: string; [addition: string]: unknown };
      [addition: string]: unknown;
    };
  };
}

/** Something else that happened; `type` is the kind of event. */
export interface EventItem {
  type: string;
  platform: Platform;
  timestamp: string;
  room_id: string;
  data: Record<string, unknown>;
  [addition: string]: unknown;
}

interface AboutChat {
  platform: Platform;
  /** Of what all subscribers share the canonical form, else as it was sent. */
  identifier: string;
  [addition: string]: unknown;
}

export interface ChatMessage extends AboutChat {
  type: "chat";
  data: ChatItem;
}

export interface EventMessage extends AboutChat {
  type: "event";
  data: EventItem;
}

export interface StatsMessage extends AboutChat {
  type: "stats";
  data: {
    uniqueUsers: {
      id: string;
      username: string;
      display_name: string;
      roles: Roles;
      messageCount: number;
      [addition: string]: unknown;
    }[];
    totalMessages: number;
    uniqueUserCount?: number;
    [addition: string]: unknown;
  };
}

export interface StatusMessage extends AboutChat {
  type: "status";
  status: string;
  liveId?: string;
  live?: boolean | null;
}

export interface ErrorMessage {
  type: "error";
  /** One English sentence, for people. */
  error: string;
  code: string;
  details?: string;
  platform?: Platform;
  identifier?: string;
  /** Whether the same request may succeed later. */
  temporary?: boolean;
  [addition: string]: unknown;
}

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
