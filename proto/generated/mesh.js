/*eslint-disable block-scoped-var, id-length, no-control-regex, no-magic-numbers, no-mixed-operators, no-prototype-builtins, no-redeclare, no-shadow, no-var, sort-vars, default-case, jsdoc/require-param*/
import $protobuf from "protobufjs/minimal.js";

// Common aliases
const $Reader = $protobuf.Reader, $Writer = $protobuf.Writer, $util = $protobuf.util;
const $Object = $util.global.Object, $undefined = $util.global.undefined, $Error = $util.global.Error, $RangeError = $util.global.RangeError;

// Exported root namespace
const $root = $protobuf.roots["netfold"] || ($protobuf.roots["netfold"] = {});

export const netfold = $root.netfold = (() => {

    /**
     * Namespace netfold.
     * @exports netfold
     * @namespace
     */
    const netfold = {};

    netfold.mesh = (function() {

        /**
         * Namespace mesh.
         * @memberof netfold
         * @namespace
         */
        const mesh = {};

        mesh.AgentMessage = (function() {

            /**
             * Properties of an AgentMessage.
             * @typedef {Object} netfold.mesh.AgentMessage.$Properties
             * @property {Uint8Array|null} [topology] AgentMessage topology
             * @property {string|null} [host] AgentMessage host
             * @property {number|null} [incarnation] AgentMessage incarnation
             * @property {number|null} [sequence] AgentMessage sequence
             * @property {number|null} [entries] AgentMessage entries
             * @property {number|null} [digestLow] AgentMessage digestLow
             * @property {number|null} [digestHigh] AgentMessage digestHigh
             * @property {netfold.mesh.Update.$Properties|null} [update] AgentMessage update
             * @property {boolean|null} [leaving] AgentMessage leaving
             * @property {Array.<netfold.mesh.Command.$Properties>|null} [commands] AgentMessage commands
             * @property {number|null} [commandCount] AgentMessage commandCount
             * @property {number|null} [commandLow] AgentMessage commandLow
             * @property {number|null} [commandHigh] AgentMessage commandHigh
             * @property {boolean|null} [timed] AgentMessage timed
             * @property {boolean|null} [passOn] AgentMessage passOn
             * @property {Array.<netfold.mesh.Suspicion.$Properties>|null} [suspected] AgentMessage suspected
             * @property {boolean|null} [spread] AgentMessage spread
             * @property {number|null} [viewCount] AgentMessage viewCount
             * @property {number|null} [viewLow] AgentMessage viewLow
             * @property {number|null} [viewHigh] AgentMessage viewHigh
             * @property {boolean|null} [rollCall] AgentMessage rollCall
             * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
             */

            /**
             * Properties of an AgentMessage.
             * @memberof netfold.mesh
             * @interface IAgentMessage
             * @augments netfold.mesh.AgentMessage.$Properties
             * @deprecated Use netfold.mesh.AgentMessage.$Properties instead.
             */

            /**
             * Shape of an AgentMessage.
             * @typedef {netfold.mesh.AgentMessage.$Properties} netfold.mesh.AgentMessage.$Shape
             */

            /**
             * Constructs a new AgentMessage.
             * @memberof netfold.mesh
             * @classdesc Represents an AgentMessage.
             * @constructor
             * @param {netfold.mesh.AgentMessage.$Properties=} [properties] Properties to set
             * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
             */
            const AgentMessage = function (properties) {
                this.commands = [];
                this.suspected = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            /**
             * AgentMessage topology.
             * @member {Uint8Array} topology
             * @memberof netfold.mesh.AgentMessage
             * @instance
             */
            AgentMessage.prototype.topology = $util.newBuffer([]);

            /**
             * AgentMessage host.
             * @member {string} host
             * @memberof netfold.mesh.AgentMessage
             * @instance
             */
            AgentMessage.prototype.host = "";

            /**
             * AgentMessage incarnation.
             * @member {number} incarnation
             * @memberof netfold.mesh.AgentMessage
             * @instance
             */
            AgentMessage.prototype.incarnation = 0;

            /**
             * AgentMessage sequence.
             * @member {number} sequence
             * @memberof netfold.mesh.AgentMessage
             * @instance
             */
            AgentMessage.prototype.sequence = 0;

            /**
             * AgentMessage entries.
             * @member {number} entries
             * @memberof netfold.mesh.AgentMessage
             * @instance
             */
            AgentMessage.prototype.entries = 0;

            /**
             * AgentMessage digestLow.
             * @member {number} digestLow
             * @memberof netfold.mesh.AgentMessage
             * @instance
             */
            AgentMessage.prototype.digestLow = 0;

            /**
             * AgentMessage digestHigh.
             * @member {number} digestHigh
             * @memberof netfold.mesh.AgentMessage
             * @instance
             */
            AgentMessage.prototype.digestHigh = 0;

            /**
             * AgentMessage update.
             * @member {netfold.mesh.Update.$Properties|null|undefined} update
             * @memberof netfold.mesh.AgentMessage
             * @instance
             */
            AgentMessage.prototype.update = null;

            /**
             * AgentMessage leaving.
             * @member {boolean} leaving
             * @memberof netfold.mesh.AgentMessage
             * @instance
             */
            AgentMessage.prototype.leaving = false;

            /**
             * AgentMessage commands.
             * @member {Array.<netfold.mesh.Command.$Properties>} commands
             * @memberof netfold.mesh.AgentMessage
             * @instance
             */
            AgentMessage.prototype.commands = $util.emptyArray;

            /**
             * AgentMessage commandCount.
             * @member {number} commandCount
             * @memberof netfold.mesh.AgentMessage
             * @instance
             */
            AgentMessage.prototype.commandCount = 0;

            /**
             * AgentMessage commandLow.
             * @member {number} commandLow
             * @memberof netfold.mesh.AgentMessage
             * @instance
             */
            AgentMessage.prototype.commandLow = 0;

            /**
             * AgentMessage commandHigh.
             * @member {number} commandHigh
             * @memberof netfold.mesh.AgentMessage
             * @instance
             */
            AgentMessage.prototype.commandHigh = 0;

            /**
             * AgentMessage timed.
             * @member {boolean} timed
             * @memberof netfold.mesh.AgentMessage
             * @instance
             */
            AgentMessage.prototype.timed = false;

            /**
             * AgentMessage passOn.
             * @member {boolean} passOn
             * @memberof netfold.mesh.AgentMessage
             * @instance
             */
            AgentMessage.prototype.passOn = false;

            /**
             * AgentMessage suspected.
             * @member {Array.<netfold.mesh.Suspicion.$Properties>} suspected
             * @memberof netfold.mesh.AgentMessage
             * @instance
             */
            AgentMessage.prototype.suspected = $util.emptyArray;

            /**
             * AgentMessage spread.
             * @member {boolean} spread
             * @memberof netfold.mesh.AgentMessage
             * @instance
             */
            AgentMessage.prototype.spread = false;

            /**
             * AgentMessage viewCount.
             * @member {number} viewCount
             * @memberof netfold.mesh.AgentMessage
             * @instance
             */
            AgentMessage.prototype.viewCount = 0;

            /**
             * AgentMessage viewLow.
             * @member {number} viewLow
             * @memberof netfold.mesh.AgentMessage
             * @instance
             */
            AgentMessage.prototype.viewLow = 0;

            /**
             * AgentMessage viewHigh.
             * @member {number} viewHigh
             * @memberof netfold.mesh.AgentMessage
             * @instance
             */
            AgentMessage.prototype.viewHigh = 0;

            /**
             * AgentMessage rollCall.
             * @member {boolean} rollCall
             * @memberof netfold.mesh.AgentMessage
             * @instance
             */
            AgentMessage.prototype.rollCall = false;

            /**
             * Encodes the specified AgentMessage message. Does not implicitly {@link netfold.mesh.AgentMessage.verify|verify} messages.
             * @function encode
             * @memberof netfold.mesh.AgentMessage
             * @static
             * @param {netfold.mesh.AgentMessage.$Properties} message AgentMessage message or plain object to encode
             * @param {$protobuf.Writer} [writer] Writer to encode to
             * @returns {$protobuf.Writer} Writer
             */
            AgentMessage.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.topology != null && $Object.hasOwnProperty.call(message, "topology") && message.topology.length)
                    writer.uint32(/* id 1, wireType 2 =*/10).bytes(message.topology);
                if (message.host != null && $Object.hasOwnProperty.call(message, "host") && message.host !== "")
                    writer.uint32(/* id 2, wireType 2 =*/18).string(message.host);
                if (message.incarnation != null && $Object.hasOwnProperty.call(message, "incarnation") && !$Object.is(message.incarnation, 0))
                    writer.uint32(/* id 3, wireType 1 =*/25).double(message.incarnation);
                if (message.sequence != null && $Object.hasOwnProperty.call(message, "sequence") && message.sequence !== 0)
                    writer.uint32(/* id 4, wireType 0 =*/32).uint32(message.sequence);
                if (message.entries != null && $Object.hasOwnProperty.call(message, "entries") && message.entries !== 0)
                    writer.uint32(/* id 5, wireType 0 =*/40).uint32(message.entries);
                if (message.digestLow != null && $Object.hasOwnProperty.call(message, "digestLow") && message.digestLow !== 0)
                    writer.uint32(/* id 6, wireType 5 =*/53).fixed32(message.digestLow);
                if (message.digestHigh != null && $Object.hasOwnProperty.call(message, "digestHigh") && message.digestHigh !== 0)
                    writer.uint32(/* id 7, wireType 5 =*/61).fixed32(message.digestHigh);
                if (message.update != null && $Object.hasOwnProperty.call(message, "update"))
                    $root.netfold.mesh.Update.encode(message.update, writer.uint32(/* id 8, wireType 2 =*/66).fork(), _depth + 1).ldelim();
                if (message.leaving != null && $Object.hasOwnProperty.call(message, "leaving") && message.leaving !== false)
                    writer.uint32(/* id 9, wireType 0 =*/72).bool(message.leaving);
                if (message.commands != null && message.commands.length)
                    for (let i = 0; i < message.commands.length; ++i)
                        $root.netfold.mesh.Command.encode(message.commands[i], writer.uint32(/* id 10, wireType 2 =*/82).fork(), _depth + 1).ldelim();
                if (message.commandCount != null && $Object.hasOwnProperty.call(message, "commandCount") && message.commandCount !== 0)
                    writer.uint32(/* id 11, wireType 0 =*/88).uint32(message.commandCount);
                if (message.commandLow != null && $Object.hasOwnProperty.call(message, "commandLow") && message.commandLow !== 0)
                    writer.uint32(/* id 12, wireType 5 =*/101).fixed32(message.commandLow);
                if (message.commandHigh != null && $Object.hasOwnProperty.call(message, "commandHigh") && message.commandHigh !== 0)
                    writer.uint32(/* id 13, wireType 5 =*/109).fixed32(message.commandHigh);
                if (message.timed != null && $Object.hasOwnProperty.call(message, "timed") && message.timed !== false)
                    writer.uint32(/* id 14, wireType 0 =*/112).bool(message.timed);
                if (message.passOn != null && $Object.hasOwnProperty.call(message, "passOn") && message.passOn !== false)
                    writer.uint32(/* id 15, wireType 0 =*/120).bool(message.passOn);
                if (message.suspected != null && message.suspected.length)
                    for (let i = 0; i < message.suspected.length; ++i)
                        $root.netfold.mesh.Suspicion.encode(message.suspected[i], writer.uint32(/* id 16, wireType 2 =*/130).fork(), _depth + 1).ldelim();
                if (message.spread != null && $Object.hasOwnProperty.call(message, "spread") && message.spread !== false)
                    writer.uint32(/* id 17, wireType 0 =*/136).bool(message.spread);
                if (message.viewCount != null && $Object.hasOwnProperty.call(message, "viewCount") && message.viewCount !== 0)
                    writer.uint32(/* id 18, wireType 0 =*/144).uint32(message.viewCount);
                if (message.viewLow != null && $Object.hasOwnProperty.call(message, "viewLow") && message.viewLow !== 0)
                    writer.uint32(/* id 19, wireType 5 =*/157).fixed32(message.viewLow);
                if (message.viewHigh != null && $Object.hasOwnProperty.call(message, "viewHigh") && message.viewHigh !== 0)
                    writer.uint32(/* id 20, wireType 5 =*/165).fixed32(message.viewHigh);
                if (message.rollCall != null && $Object.hasOwnProperty.call(message, "rollCall") && message.rollCall !== false)
                    writer.uint32(/* id 21, wireType 0 =*/168).bool(message.rollCall);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            /**
             * Decodes an AgentMessage message from the specified reader or buffer.
             * @function decode
             * @memberof netfold.mesh.AgentMessage
             * @static
             * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
             * @param {number} [length] Message length if known beforehand
             * @returns {netfold.mesh.AgentMessage & netfold.mesh.AgentMessage.$Shape} AgentMessage
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            AgentMessage.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.netfold.mesh.AgentMessage();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.topology = value;
                            else
                                delete message.topology;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.host = value;
                            else
                                delete message.host;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.incarnation = value;
                            else
                                delete message.incarnation;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.sequence = value;
                            else
                                delete message.sequence;
                            continue;
                        }
                    case 5: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.entries = value;
                            else
                                delete message.entries;
                            continue;
                        }
                    case 6: {
                            if (wireType !== 5)
                                break;
                            if (value = reader.fixed32())
                                message.digestLow = value;
                            else
                                delete message.digestLow;
                            continue;
                        }
                    case 7: {
                            if (wireType !== 5)
                                break;
                            if (value = reader.fixed32())
                                message.digestHigh = value;
                            else
                                delete message.digestHigh;
                            continue;
                        }
                    case 8: {
                            if (wireType !== 2)
                                break;
                            message.update = $root.netfold.mesh.Update.decode(reader, reader.size(), $undefined, _depth + 1, message.update);
                            continue;
                        }
                    case 9: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.bool())
                                message.leaving = value;
                            else
                                delete message.leaving;
                            continue;
                        }
                    case 10: {
                            if (wireType !== 2)
                                break;
                            if (!(message.commands && message.commands.length))
                                message.commands = [];
                            message.commands.push($root.netfold.mesh.Command.decode(reader, reader.size(), $undefined, _depth + 1));
                            continue;
                        }
                    case 11: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.commandCount = value;
                            else
                                delete message.commandCount;
                            continue;
                        }
                    case 12: {
                            if (wireType !== 5)
                                break;
                            if (value = reader.fixed32())
                                message.commandLow = value;
                            else
                                delete message.commandLow;
                            continue;
                        }
                    case 13: {
                            if (wireType !== 5)
                                break;
                            if (value = reader.fixed32())
                                message.commandHigh = value;
                            else
                                delete message.commandHigh;
                            continue;
                        }
                    case 14: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.bool())
                                message.timed = value;
                            else
                                delete message.timed;
                            continue;
                        }
                    case 15: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.bool())
                                message.passOn = value;
                            else
                                delete message.passOn;
                            continue;
                        }
                    case 16: {
                            if (wireType !== 2)
                                break;
                            if (!(message.suspected && message.suspected.length))
                                message.suspected = [];
                            message.suspected.push($root.netfold.mesh.Suspicion.decode(reader, reader.size(), $undefined, _depth + 1));
                            continue;
                        }
                    case 17: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.bool())
                                message.spread = value;
                            else
                                delete message.spread;
                            continue;
                        }
                    case 18: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.viewCount = value;
                            else
                                delete message.viewCount;
                            continue;
                        }
                    case 19: {
                            if (wireType !== 5)
                                break;
                            if (value = reader.fixed32())
                                message.viewLow = value;
                            else
                                delete message.viewLow;
                            continue;
                        }
                    case 20: {
                            if (wireType !== 5)
                                break;
                            if (value = reader.fixed32())
                                message.viewHigh = value;
                            else
                                delete message.viewHigh;
                            continue;
                        }
                    case 21: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.bool())
                                message.rollCall = value;
                            else
                                delete message.rollCall;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            return AgentMessage;
        })();

        mesh.Suspicion = (function() {

            /**
             * Properties of a Suspicion.
             * @typedef {Object} netfold.mesh.Suspicion.$Properties
             * @property {string|null} [host] Suspicion host
             * @property {number|null} [incarnation] Suspicion incarnation
             * @property {number|null} [sequence] Suspicion sequence
             * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
             */

            /**
             * Properties of a Suspicion.
             * @memberof netfold.mesh
             * @interface ISuspicion
             * @augments netfold.mesh.Suspicion.$Properties
             * @deprecated Use netfold.mesh.Suspicion.$Properties instead.
             */

            /**
             * Shape of a Suspicion.
             * @typedef {netfold.mesh.Suspicion.$Properties} netfold.mesh.Suspicion.$Shape
             */

            /**
             * Constructs a new Suspicion.
             * @memberof netfold.mesh
             * @classdesc Represents a Suspicion.
             * @constructor
             * @param {netfold.mesh.Suspicion.$Properties=} [properties] Properties to set
             * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
             */
            const Suspicion = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            /**
             * Suspicion host.
             * @member {string} host
             * @memberof netfold.mesh.Suspicion
             * @instance
             */
            Suspicion.prototype.host = "";

            /**
             * Suspicion incarnation.
             * @member {number} incarnation
             * @memberof netfold.mesh.Suspicion
             * @instance
             */
            Suspicion.prototype.incarnation = 0;

            /**
             * Suspicion sequence.
             * @member {number} sequence
             * @memberof netfold.mesh.Suspicion
             * @instance
             */
            Suspicion.prototype.sequence = 0;

            /**
             * Encodes the specified Suspicion message. Does not implicitly {@link netfold.mesh.Suspicion.verify|verify} messages.
             * @function encode
             * @memberof netfold.mesh.Suspicion
             * @static
             * @param {netfold.mesh.Suspicion.$Properties} message Suspicion message or plain object to encode
             * @param {$protobuf.Writer} [writer] Writer to encode to
             * @returns {$protobuf.Writer} Writer
             */
            Suspicion.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.host != null && $Object.hasOwnProperty.call(message, "host") && message.host !== "")
                    writer.uint32(/* id 1, wireType 2 =*/10).string(message.host);
                if (message.incarnation != null && $Object.hasOwnProperty.call(message, "incarnation") && !$Object.is(message.incarnation, 0))
                    writer.uint32(/* id 2, wireType 1 =*/17).double(message.incarnation);
                if (message.sequence != null && $Object.hasOwnProperty.call(message, "sequence") && message.sequence !== 0)
                    writer.uint32(/* id 3, wireType 0 =*/24).uint32(message.sequence);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            /**
             * Decodes a Suspicion message from the specified reader or buffer.
             * @function decode
             * @memberof netfold.mesh.Suspicion
             * @static
             * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
             * @param {number} [length] Message length if known beforehand
             * @returns {netfold.mesh.Suspicion & netfold.mesh.Suspicion.$Shape} Suspicion
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            Suspicion.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.netfold.mesh.Suspicion();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.host = value;
                            else
                                delete message.host;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.incarnation = value;
                            else
                                delete message.incarnation;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.sequence = value;
                            else
                                delete message.sequence;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            return Suspicion;
        })();

        mesh.Command = (function() {

            /**
             * Properties of a Command.
             * @typedef {Object} netfold.mesh.Command.$Properties
             * @property {string|null} [origin] Command origin
             * @property {number|null} [incarnation] Command incarnation
             * @property {number|null} [number] Command number
             * @property {number|null} [issuedAt] Command issuedAt
             * @property {number|null} [at] Command at
             * @property {number|null} [until] Command until
             * @property {string|null} [text] Command text
             * @property {string|null} [author] Command author
             * @property {Uint8Array|null} [signature] Command signature
             * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
             */

            /**
             * Properties of a Command.
             * @memberof netfold.mesh
             * @interface ICommand
             * @augments netfold.mesh.Command.$Properties
             * @deprecated Use netfold.mesh.Command.$Properties instead.
             */

            /**
             * Shape of a Command.
             * @typedef {netfold.mesh.Command.$Properties} netfold.mesh.Command.$Shape
             */

            /**
             * Constructs a new Command.
             * @memberof netfold.mesh
             * @classdesc Represents a Command.
             * @constructor
             * @param {netfold.mesh.Command.$Properties=} [properties] Properties to set
             * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
             */
            const Command = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            /**
             * Command origin.
             * @member {string} origin
             * @memberof netfold.mesh.Command
             * @instance
             */
            Command.prototype.origin = "";

            /**
             * Command incarnation.
             * @member {number} incarnation
             * @memberof netfold.mesh.Command
             * @instance
             */
            Command.prototype.incarnation = 0;

            /**
             * Command number.
             * @member {number} number
             * @memberof netfold.mesh.Command
             * @instance
             */
            Command.prototype.number = 0;

            /**
             * Command issuedAt.
             * @member {number} issuedAt
             * @memberof netfold.mesh.Command
             * @instance
             */
            Command.prototype.issuedAt = 0;

            /**
             * Command at.
             * @member {number} at
             * @memberof netfold.mesh.Command
             * @instance
             */
            Command.prototype.at = 0;

            /**
             * Command until.
             * @member {number} until
             * @memberof netfold.mesh.Command
             * @instance
             */
            Command.prototype.until = 0;

            /**
             * Command text.
             * @member {string} text
             * @memberof netfold.mesh.Command
             * @instance
             */
            Command.prototype.text = "";

            /**
             * Command author.
             * @member {string} author
             * @memberof netfold.mesh.Command
             * @instance
             */
            Command.prototype.author = "";

            /**
             * Command signature.
             * @member {Uint8Array} signature
             * @memberof netfold.mesh.Command
             * @instance
             */
            Command.prototype.signature = $util.newBuffer([]);

            /**
             * Encodes the specified Command message. Does not implicitly {@link netfold.mesh.Command.verify|verify} messages.
             * @function encode
             * @memberof netfold.mesh.Command
             * @static
             * @param {netfold.mesh.Command.$Properties} message Command message or plain object to encode
             * @param {$protobuf.Writer} [writer] Writer to encode to
             * @returns {$protobuf.Writer} Writer
             */
            Command.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.origin != null && $Object.hasOwnProperty.call(message, "origin") && message.origin !== "")
                    writer.uint32(/* id 1, wireType 2 =*/10).string(message.origin);
                if (message.incarnation != null && $Object.hasOwnProperty.call(message, "incarnation") && !$Object.is(message.incarnation, 0))
                    writer.uint32(/* id 2, wireType 1 =*/17).double(message.incarnation);
                if (message.number != null && $Object.hasOwnProperty.call(message, "number") && message.number !== 0)
                    writer.uint32(/* id 3, wireType 0 =*/24).uint32(message.number);
                if (message.issuedAt != null && $Object.hasOwnProperty.call(message, "issuedAt") && !$Object.is(message.issuedAt, 0))
                    writer.uint32(/* id 4, wireType 1 =*/33).double(message.issuedAt);
                if (message.at != null && $Object.hasOwnProperty.call(message, "at") && !$Object.is(message.at, 0))
                    writer.uint32(/* id 5, wireType 1 =*/41).double(message.at);
                if (message.until != null && $Object.hasOwnProperty.call(message, "until") && !$Object.is(message.until, 0))
                    writer.uint32(/* id 6, wireType 1 =*/49).double(message.until);
                if (message.text != null && $Object.hasOwnProperty.call(message, "text") && message.text !== "")
                    writer.uint32(/* id 7, wireType 2 =*/58).string(message.text);
                if (message.author != null && $Object.hasOwnProperty.call(message, "author") && message.author !== "")
                    writer.uint32(/* id 8, wireType 2 =*/66).string(message.author);
                if (message.signature != null && $Object.hasOwnProperty.call(message, "signature") && message.signature.length)
                    writer.uint32(/* id 9, wireType 2 =*/74).bytes(message.signature);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            /**
             * Decodes a Command message from the specified reader or buffer.
             * @function decode
             * @memberof netfold.mesh.Command
             * @static
             * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
             * @param {number} [length] Message length if known beforehand
             * @returns {netfold.mesh.Command & netfold.mesh.Command.$Shape} Command
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            Command.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.netfold.mesh.Command();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.origin = value;
                            else
                                delete message.origin;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.incarnation = value;
                            else
                                delete message.incarnation;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.number = value;
                            else
                                delete message.number;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.issuedAt = value;
                            else
                                delete message.issuedAt;
                            continue;
                        }
                    case 5: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.at = value;
                            else
                                delete message.at;
                            continue;
                        }
                    case 6: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.until = value;
                            else
                                delete message.until;
                            continue;
                        }
                    case 7: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.text = value;
                            else
                                delete message.text;
                            continue;
                        }
                    case 8: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.author = value;
                            else
                                delete message.author;
                            continue;
                        }
                    case 9: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.signature = value;
                            else
                                delete message.signature;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            return Command;
        })();

        mesh.Update = (function() {

            /**
             * Properties of an Update.
             * @typedef {Object} netfold.mesh.Update.$Properties
             * @property {boolean|null} [whole] Update whole
             * @property {Array.<string>|null} [meshAddresses] Update meshAddresses
             * @property {Array.<netfold.mesh.Endpoint.$Properties>|null} [endpoints] Update endpoints
             * @property {Array.<number>|null} [flowSources] Update flowSources
             * @property {Array.<number>|null} [flowDestinations] Update flowDestinations
             * @property {Array.<number>|null} [flowStates] Update flowStates
             * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
             */

            /**
             * Properties of an Update.
             * @memberof netfold.mesh
             * @interface IUpdate
             * @augments netfold.mesh.Update.$Properties
             * @deprecated Use netfold.mesh.Update.$Properties instead.
             */

            /**
             * Shape of an Update.
             * @typedef {netfold.mesh.Update.$Properties} netfold.mesh.Update.$Shape
             */

            /**
             * Constructs a new Update.
             * @memberof netfold.mesh
             * @classdesc Represents an Update.
             * @constructor
             * @param {netfold.mesh.Update.$Properties=} [properties] Properties to set
             * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
             */
            const Update = function (properties) {
                this.meshAddresses = [];
                this.endpoints = [];
                this.flowSources = [];
                this.flowDestinations = [];
                this.flowStates = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            /**
             * Update whole.
             * @member {boolean} whole
             * @memberof netfold.mesh.Update
             * @instance
             */
            Update.prototype.whole = false;

            /**
             * Update meshAddresses.
             * @member {Array.<string>} meshAddresses
             * @memberof netfold.mesh.Update
             * @instance
             */
            Update.prototype.meshAddresses = $util.emptyArray;

            /**
             * Update endpoints.
             * @member {Array.<netfold.mesh.Endpoint.$Properties>} endpoints
             * @memberof netfold.mesh.Update
             * @instance
             */
            Update.prototype.endpoints = $util.emptyArray;

            /**
             * Update flowSources.
             * @member {Array.<number>} flowSources
             * @memberof netfold.mesh.Update
             * @instance
             */
            Update.prototype.flowSources = $util.emptyArray;

            /**
             * Update flowDestinations.
             * @member {Array.<number>} flowDestinations
             * @memberof netfold.mesh.Update
             * @instance
             */
            Update.prototype.flowDestinations = $util.emptyArray;

            /**
             * Update flowStates.
             * @member {Array.<number>} flowStates
             * @memberof netfold.mesh.Update
             * @instance
             */
            Update.prototype.flowStates = $util.emptyArray;

            /**
             * Encodes the specified Update message. Does not implicitly {@link netfold.mesh.Update.verify|verify} messages.
             * @function encode
             * @memberof netfold.mesh.Update
             * @static
             * @param {netfold.mesh.Update.$Properties} message Update message or plain object to encode
             * @param {$protobuf.Writer} [writer] Writer to encode to
             * @returns {$protobuf.Writer} Writer
             */
            Update.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.whole != null && $Object.hasOwnProperty.call(message, "whole") && message.whole !== false)
                    writer.uint32(/* id 1, wireType 0 =*/8).bool(message.whole);
                if (message.meshAddresses != null && message.meshAddresses.length)
                    for (let i = 0; i < message.meshAddresses.length; ++i)
                        writer.uint32(/* id 2, wireType 2 =*/18).string(message.meshAddresses[i]);
                if (message.endpoints != null && message.endpoints.length)
                    for (let i = 0; i < message.endpoints.length; ++i)
                        $root.netfold.mesh.Endpoint.encode(message.endpoints[i], writer.uint32(/* id 3, wireType 2 =*/26).fork(), _depth + 1).ldelim();
                if (message.flowSources != null && message.flowSources.length)
                    writer.uint32(/* id 4, wireType 2 =*/34).uint32s(message.flowSources);
                if (message.flowDestinations != null && message.flowDestinations.length)
                    writer.uint32(/* id 5, wireType 2 =*/42).uint32s(message.flowDestinations);
                if (message.flowStates != null && message.flowStates.length)
                    writer.uint32(/* id 6, wireType 2 =*/50).uint32s(message.flowStates);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            /**
             * Decodes an Update message from the specified reader or buffer.
             * @function decode
             * @memberof netfold.mesh.Update
             * @static
             * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
             * @param {number} [length] Message length if known beforehand
             * @returns {netfold.mesh.Update & netfold.mesh.Update.$Shape} Update
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            Update.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.netfold.mesh.Update();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.bool())
                                message.whole = value;
                            else
                                delete message.whole;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if (!(message.meshAddresses && message.meshAddresses.length))
                                message.meshAddresses = [];
                            message.meshAddresses.push(reader.stringVerify());
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if (!(message.endpoints && message.endpoints.length))
                                message.endpoints = [];
                            message.endpoints.push($root.netfold.mesh.Endpoint.decode(reader, reader.size(), $undefined, _depth + 1));
                            continue;
                        }
                    case 4: {
                            if (wireType === 2) {
                                if (!(message.flowSources && message.flowSources.length))
                                    message.flowSources = [];
                                reader.uint32s(message.flowSources);
                                continue;
                            }
                            if (wireType !== 0)
                                break;
                            if (!(message.flowSources && message.flowSources.length))
                                message.flowSources = [];
                            message.flowSources.push(reader.uint32());
                            continue;
                        }
                    case 5: {
                            if (wireType === 2) {
                                if (!(message.flowDestinations && message.flowDestinations.length))
                                    message.flowDestinations = [];
                                reader.uint32s(message.flowDestinations);
                                continue;
                            }
                            if (wireType !== 0)
                                break;
                            if (!(message.flowDestinations && message.flowDestinations.length))
                                message.flowDestinations = [];
                            message.flowDestinations.push(reader.uint32());
                            continue;
                        }
                    case 6: {
                            if (wireType === 2) {
                                if (!(message.flowStates && message.flowStates.length))
                                    message.flowStates = [];
                                reader.uint32s(message.flowStates);
                                continue;
                            }
                            if (wireType !== 0)
                                break;
                            if (!(message.flowStates && message.flowStates.length))
                                message.flowStates = [];
                            message.flowStates.push(reader.uint32());
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            return Update;
        })();

        mesh.Endpoint = (function() {

            /**
             * Properties of an Endpoint.
             * @typedef {Object} netfold.mesh.Endpoint.$Properties
             * @property {number|null} [number] Endpoint number
             * @property {Array.<string>|null} [addresses] Endpoint addresses
             * @property {boolean|null} [gone] Endpoint gone
             * @property {boolean|null} [ready] Endpoint ready
             * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
             */

            /**
             * Properties of an Endpoint.
             * @memberof netfold.mesh
             * @interface IEndpoint
             * @augments netfold.mesh.Endpoint.$Properties
             * @deprecated Use netfold.mesh.Endpoint.$Properties instead.
             */

            /**
             * Shape of an Endpoint.
             * @typedef {netfold.mesh.Endpoint.$Properties} netfold.mesh.Endpoint.$Shape
             */

            /**
             * Constructs a new Endpoint.
             * @memberof netfold.mesh
             * @classdesc Represents an Endpoint.
             * @constructor
             * @param {netfold.mesh.Endpoint.$Properties=} [properties] Properties to set
             * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
             */
            const Endpoint = function (properties) {
                this.addresses = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            /**
             * Endpoint number.
             * @member {number} number
             * @memberof netfold.mesh.Endpoint
             * @instance
             */
            Endpoint.prototype.number = 0;

            /**
             * Endpoint addresses.
             * @member {Array.<string>} addresses
             * @memberof netfold.mesh.Endpoint
             * @instance
             */
            Endpoint.prototype.addresses = $util.emptyArray;

            /**
             * Endpoint gone.
             * @member {boolean} gone
             * @memberof netfold.mesh.Endpoint
             * @instance
             */
            Endpoint.prototype.gone = false;

            /**
             * Endpoint ready.
             * @member {boolean} ready
             * @memberof netfold.mesh.Endpoint
             * @instance
             */
            Endpoint.prototype.ready = false;

            /**
             * Encodes the specified Endpoint message. Does not implicitly {@link netfold.mesh.Endpoint.verify|verify} messages.
             * @function encode
             * @memberof netfold.mesh.Endpoint
             * @static
             * @param {netfold.mesh.Endpoint.$Properties} message Endpoint message or plain object to encode
             * @param {$protobuf.Writer} [writer] Writer to encode to
             * @returns {$protobuf.Writer} Writer
             */
            Endpoint.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.number != null && $Object.hasOwnProperty.call(message, "number") && message.number !== 0)
                    writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.number);
                if (message.addresses != null && message.addresses.length)
                    for (let i = 0; i < message.addresses.length; ++i)
                        writer.uint32(/* id 2, wireType 2 =*/18).string(message.addresses[i]);
                if (message.gone != null && $Object.hasOwnProperty.call(message, "gone") && message.gone !== false)
                    writer.uint32(/* id 3, wireType 0 =*/24).bool(message.gone);
                if (message.ready != null && $Object.hasOwnProperty.call(message, "ready") && message.ready !== false)
                    writer.uint32(/* id 4, wireType 0 =*/32).bool(message.ready);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            /**
             * Decodes an Endpoint message from the specified reader or buffer.
             * @function decode
             * @memberof netfold.mesh.Endpoint
             * @static
             * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
             * @param {number} [length] Message length if known beforehand
             * @returns {netfold.mesh.Endpoint & netfold.mesh.Endpoint.$Shape} Endpoint
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            Endpoint.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.netfold.mesh.Endpoint();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.number = value;
                            else
                                delete message.number;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if (!(message.addresses && message.addresses.length))
                                message.addresses = [];
                            message.addresses.push(reader.stringVerify());
                            continue;
                        }
                    case 3: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.bool())
                                message.gone = value;
                            else
                                delete message.gone;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.bool())
                                message.ready = value;
                            else
                                delete message.ready;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            return Endpoint;
        })();

        mesh.StateRequest = (function() {

            /**
             * Properties of a StateRequest.
             * @typedef {Object} netfold.mesh.StateRequest.$Properties
             * @property {Uint8Array|null} [topology] StateRequest topology
             * @property {string|null} [host] StateRequest host
             * @property {number|null} [incarnation] StateRequest incarnation
             * @property {number|null} [commandCount] StateRequest commandCount
             * @property {number|null} [commandLow] StateRequest commandLow
             * @property {number|null} [commandHigh] StateRequest commandHigh
             * @property {boolean|null} [withoutKnown] StateRequest withoutKnown
             * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
             */

            /**
             * Properties of a StateRequest.
             * @memberof netfold.mesh
             * @interface IStateRequest
             * @augments netfold.mesh.StateRequest.$Properties
             * @deprecated Use netfold.mesh.StateRequest.$Properties instead.
             */

            /**
             * Shape of a StateRequest.
             * @typedef {netfold.mesh.StateRequest.$Properties} netfold.mesh.StateRequest.$Shape
             */

            /**
             * Constructs a new StateRequest.
             * @memberof netfold.mesh
             * @classdesc Represents a StateRequest.
             * @constructor
             * @param {netfold.mesh.StateRequest.$Properties=} [properties] Properties to set
             * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
             */
            const StateRequest = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            /**
             * StateRequest topology.
             * @member {Uint8Array} topology
             * @memberof netfold.mesh.StateRequest
             * @instance
             */
            StateRequest.prototype.topology = $util.newBuffer([]);

            /**
             * StateRequest host.
             * @member {string} host
             * @memberof netfold.mesh.StateRequest
             * @instance
             */
            StateRequest.prototype.host = "";

            /**
             * StateRequest incarnation.
             * @member {number} incarnation
             * @memberof netfold.mesh.StateRequest
             * @instance
             */
            StateRequest.prototype.incarnation = 0;

            /**
             * StateRequest commandCount.
             * @member {number} commandCount
             * @memberof netfold.mesh.StateRequest
             * @instance
             */
            StateRequest.prototype.commandCount = 0;

            /**
             * StateRequest commandLow.
             * @member {number} commandLow
             * @memberof netfold.mesh.StateRequest
             * @instance
             */
            StateRequest.prototype.commandLow = 0;

            /**
             * StateRequest commandHigh.
             * @member {number} commandHigh
             * @memberof netfold.mesh.StateRequest
             * @instance
             */
            StateRequest.prototype.commandHigh = 0;

            /**
             * StateRequest withoutKnown.
             * @member {boolean} withoutKnown
             * @memberof netfold.mesh.StateRequest
             * @instance
             */
            StateRequest.prototype.withoutKnown = false;

            /**
             * Encodes the specified StateRequest message. Does not implicitly {@link netfold.mesh.StateRequest.verify|verify} messages.
             * @function encode
             * @memberof netfold.mesh.StateRequest
             * @static
             * @param {netfold.mesh.StateRequest.$Properties} message StateRequest message or plain object to encode
             * @param {$protobuf.Writer} [writer] Writer to encode to
             * @returns {$protobuf.Writer} Writer
             */
            StateRequest.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.topology != null && $Object.hasOwnProperty.call(message, "topology") && message.topology.length)
                    writer.uint32(/* id 1, wireType 2 =*/10).bytes(message.topology);
                if (message.host != null && $Object.hasOwnProperty.call(message, "host") && message.host !== "")
                    writer.uint32(/* id 2, wireType 2 =*/18).string(message.host);
                if (message.incarnation != null && $Object.hasOwnProperty.call(message, "incarnation") && !$Object.is(message.incarnation, 0))
                    writer.uint32(/* id 3, wireType 1 =*/25).double(message.incarnation);
                if (message.commandCount != null && $Object.hasOwnProperty.call(message, "commandCount") && message.commandCount !== 0)
                    writer.uint32(/* id 4, wireType 0 =*/32).uint32(message.commandCount);
                if (message.commandLow != null && $Object.hasOwnProperty.call(message, "commandLow") && message.commandLow !== 0)
                    writer.uint32(/* id 5, wireType 5 =*/45).fixed32(message.commandLow);
                if (message.commandHigh != null && $Object.hasOwnProperty.call(message, "commandHigh") && message.commandHigh !== 0)
                    writer.uint32(/* id 6, wireType 5 =*/53).fixed32(message.commandHigh);
                if (message.withoutKnown != null && $Object.hasOwnProperty.call(message, "withoutKnown") && message.withoutKnown !== false)
                    writer.uint32(/* id 7, wireType 0 =*/56).bool(message.withoutKnown);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            /**
             * Decodes a StateRequest message from the specified reader or buffer.
             * @function decode
             * @memberof netfold.mesh.StateRequest
             * @static
             * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
             * @param {number} [length] Message length if known beforehand
             * @returns {netfold.mesh.StateRequest & netfold.mesh.StateRequest.$Shape} StateRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            StateRequest.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.netfold.mesh.StateRequest();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.topology = value;
                            else
                                delete message.topology;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.host = value;
                            else
                                delete message.host;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.incarnation = value;
                            else
                                delete message.incarnation;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.commandCount = value;
                            else
                                delete message.commandCount;
                            continue;
                        }
                    case 5: {
                            if (wireType !== 5)
                                break;
                            if (value = reader.fixed32())
                                message.commandLow = value;
                            else
                                delete message.commandLow;
                            continue;
                        }
                    case 6: {
                            if (wireType !== 5)
                                break;
                            if (value = reader.fixed32())
                                message.commandHigh = value;
                            else
                                delete message.commandHigh;
                            continue;
                        }
                    case 7: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.bool())
                                message.withoutKnown = value;
                            else
                                delete message.withoutKnown;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            return StateRequest;
        })();

        mesh.StateReply = (function() {

            /**
             * Properties of a StateReply.
             * @typedef {Object} netfold.mesh.StateReply.$Properties
             * @property {netfold.mesh.AgentMessage.$Properties|null} [state] StateReply state
             * @property {Array.<netfold.mesh.KnownAgent.$Properties>|null} [known] StateReply known
             * @property {number|null} [yourIncarnation] StateReply yourIncarnation
             * @property {Array.<netfold.mesh.Command.$Properties>|null} [commands] StateReply commands
             * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
             */

            /**
             * Properties of a StateReply.
             * @memberof netfold.mesh
             * @interface IStateReply
             * @augments netfold.mesh.StateReply.$Properties
             * @deprecated Use netfold.mesh.StateReply.$Properties instead.
             */

            /**
             * Shape of a StateReply.
             * @typedef {netfold.mesh.StateReply.$Properties} netfold.mesh.StateReply.$Shape
             */

            /**
             * Constructs a new StateReply.
             * @memberof netfold.mesh
             * @classdesc Represents a StateReply.
             * @constructor
             * @param {netfold.mesh.StateReply.$Properties=} [properties] Properties to set
             * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
             */
            const StateReply = function (properties) {
                this.known = [];
                this.commands = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            /**
             * StateReply state.
             * @member {netfold.mesh.AgentMessage.$Properties|null|undefined} state
             * @memberof netfold.mesh.StateReply
             * @instance
             */
            StateReply.prototype.state = null;

            /**
             * StateReply known.
             * @member {Array.<netfold.mesh.KnownAgent.$Properties>} known
             * @memberof netfold.mesh.StateReply
             * @instance
             */
            StateReply.prototype.known = $util.emptyArray;

            /**
             * StateReply yourIncarnation.
             * @member {number} yourIncarnation
             * @memberof netfold.mesh.StateReply
             * @instance
             */
            StateReply.prototype.yourIncarnation = 0;

            /**
             * StateReply commands.
             * @member {Array.<netfold.mesh.Command.$Properties>} commands
             * @memberof netfold.mesh.StateReply
             * @instance
             */
            StateReply.prototype.commands = $util.emptyArray;

            /**
             * Encodes the specified StateReply message. Does not implicitly {@link netfold.mesh.StateReply.verify|verify} messages.
             * @function encode
             * @memberof netfold.mesh.StateReply
             * @static
             * @param {netfold.mesh.StateReply.$Properties} message StateReply message or plain object to encode
             * @param {$protobuf.Writer} [writer] Writer to encode to
             * @returns {$protobuf.Writer} Writer
             */
            StateReply.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.state != null && $Object.hasOwnProperty.call(message, "state"))
                    $root.netfold.mesh.AgentMessage.encode(message.state, writer.uint32(/* id 1, wireType 2 =*/10).fork(), _depth + 1).ldelim();
                if (message.known != null && message.known.length)
                    for (let i = 0; i < message.known.length; ++i)
                        $root.netfold.mesh.KnownAgent.encode(message.known[i], writer.uint32(/* id 2, wireType 2 =*/18).fork(), _depth + 1).ldelim();
                if (message.yourIncarnation != null && $Object.hasOwnProperty.call(message, "yourIncarnation") && !$Object.is(message.yourIncarnation, 0))
                    writer.uint32(/* id 3, wireType 1 =*/25).double(message.yourIncarnation);
                if (message.commands != null && message.commands.length)
                    for (let i = 0; i < message.commands.length; ++i)
                        $root.netfold.mesh.Command.encode(message.commands[i], writer.uint32(/* id 4, wireType 2 =*/34).fork(), _depth + 1).ldelim();
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            /**
             * Decodes a StateReply message from the specified reader or buffer.
             * @function decode
             * @memberof netfold.mesh.StateReply
             * @static
             * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
             * @param {number} [length] Message length if known beforehand
             * @returns {netfold.mesh.StateReply & netfold.mesh.StateReply.$Shape} StateReply
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            StateReply.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.netfold.mesh.StateReply();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            message.state = $root.netfold.mesh.AgentMessage.decode(reader, reader.size(), $undefined, _depth + 1, message.state);
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if (!(message.known && message.known.length))
                                message.known = [];
                            message.known.push($root.netfold.mesh.KnownAgent.decode(reader, reader.size(), $undefined, _depth + 1));
                            continue;
                        }
                    case 3: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.yourIncarnation = value;
                            else
                                delete message.yourIncarnation;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 2)
                                break;
                            if (!(message.commands && message.commands.length))
                                message.commands = [];
                            message.commands.push($root.netfold.mesh.Command.decode(reader, reader.size(), $undefined, _depth + 1));
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            return StateReply;
        })();

        mesh.KnownAgent = (function() {

            /**
             * Properties of a KnownAgent.
             * @typedef {Object} netfold.mesh.KnownAgent.$Properties
             * @property {string|null} [peer] KnownAgent peer
             * @property {Array.<string>|null} [addresses] KnownAgent addresses
             * @property {number|null} [incarnation] KnownAgent incarnation
             * @property {number|null} [tableSequence] KnownAgent tableSequence
             * @property {number|null} [digestLow] KnownAgent digestLow
             * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
             */

            /**
             * Properties of a KnownAgent.
             * @memberof netfold.mesh
             * @interface IKnownAgent
             * @augments netfold.mesh.KnownAgent.$Properties
             * @deprecated Use netfold.mesh.KnownAgent.$Properties instead.
             */

            /**
             * Shape of a KnownAgent.
             * @typedef {netfold.mesh.KnownAgent.$Properties} netfold.mesh.KnownAgent.$Shape
             */

            /**
             * Constructs a new KnownAgent.
             * @memberof netfold.mesh
             * @classdesc Represents a KnownAgent.
             * @constructor
             * @param {netfold.mesh.KnownAgent.$Properties=} [properties] Properties to set
             * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
             */
            const KnownAgent = function (properties) {
                this.addresses = [];
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            /**
             * KnownAgent peer.
             * @member {string} peer
             * @memberof netfold.mesh.KnownAgent
             * @instance
             */
            KnownAgent.prototype.peer = "";

            /**
             * KnownAgent addresses.
             * @member {Array.<string>} addresses
             * @memberof netfold.mesh.KnownAgent
             * @instance
             */
            KnownAgent.prototype.addresses = $util.emptyArray;

            /**
             * KnownAgent incarnation.
             * @member {number} incarnation
             * @memberof netfold.mesh.KnownAgent
             * @instance
             */
            KnownAgent.prototype.incarnation = 0;

            /**
             * KnownAgent tableSequence.
             * @member {number} tableSequence
             * @memberof netfold.mesh.KnownAgent
             * @instance
             */
            KnownAgent.prototype.tableSequence = 0;

            /**
             * KnownAgent digestLow.
             * @member {number} digestLow
             * @memberof netfold.mesh.KnownAgent
             * @instance
             */
            KnownAgent.prototype.digestLow = 0;

            /**
             * Encodes the specified KnownAgent message. Does not implicitly {@link netfold.mesh.KnownAgent.verify|verify} messages.
             * @function encode
             * @memberof netfold.mesh.KnownAgent
             * @static
             * @param {netfold.mesh.KnownAgent.$Properties} message KnownAgent message or plain object to encode
             * @param {$protobuf.Writer} [writer] Writer to encode to
             * @returns {$protobuf.Writer} Writer
             */
            KnownAgent.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.peer != null && $Object.hasOwnProperty.call(message, "peer") && message.peer !== "")
                    writer.uint32(/* id 1, wireType 2 =*/10).string(message.peer);
                if (message.addresses != null && message.addresses.length)
                    for (let i = 0; i < message.addresses.length; ++i)
                        writer.uint32(/* id 2, wireType 2 =*/18).string(message.addresses[i]);
                if (message.incarnation != null && $Object.hasOwnProperty.call(message, "incarnation") && !$Object.is(message.incarnation, 0))
                    writer.uint32(/* id 3, wireType 1 =*/25).double(message.incarnation);
                if (message.tableSequence != null && $Object.hasOwnProperty.call(message, "tableSequence") && message.tableSequence !== 0)
                    writer.uint32(/* id 4, wireType 0 =*/32).uint32(message.tableSequence);
                if (message.digestLow != null && $Object.hasOwnProperty.call(message, "digestLow") && message.digestLow !== 0)
                    writer.uint32(/* id 5, wireType 5 =*/45).fixed32(message.digestLow);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            /**
             * Decodes a KnownAgent message from the specified reader or buffer.
             * @function decode
             * @memberof netfold.mesh.KnownAgent
             * @static
             * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
             * @param {number} [length] Message length if known beforehand
             * @returns {netfold.mesh.KnownAgent & netfold.mesh.KnownAgent.$Shape} KnownAgent
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            KnownAgent.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.netfold.mesh.KnownAgent();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.peer = value;
                            else
                                delete message.peer;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if (!(message.addresses && message.addresses.length))
                                message.addresses = [];
                            message.addresses.push(reader.stringVerify());
                            continue;
                        }
                    case 3: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.incarnation = value;
                            else
                                delete message.incarnation;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.tableSequence = value;
                            else
                                delete message.tableSequence;
                            continue;
                        }
                    case 5: {
                            if (wireType !== 5)
                                break;
                            if (value = reader.fixed32())
                                message.digestLow = value;
                            else
                                delete message.digestLow;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            return KnownAgent;
        })();

        mesh.ClockRequest = (function() {

            /**
             * Properties of a ClockRequest.
             * @typedef {Object} netfold.mesh.ClockRequest.$Properties
             * @property {Uint8Array|null} [topology] ClockRequest topology
             * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
             */

            /**
             * Properties of a ClockRequest.
             * @memberof netfold.mesh
             * @interface IClockRequest
             * @augments netfold.mesh.ClockRequest.$Properties
             * @deprecated Use netfold.mesh.ClockRequest.$Properties instead.
             */

            /**
             * Shape of a ClockRequest.
             * @typedef {netfold.mesh.ClockRequest.$Properties} netfold.mesh.ClockRequest.$Shape
             */

            /**
             * Constructs a new ClockRequest.
             * @memberof netfold.mesh
             * @classdesc Represents a ClockRequest.
             * @constructor
             * @param {netfold.mesh.ClockRequest.$Properties=} [properties] Properties to set
             * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
             */
            const ClockRequest = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            /**
             * ClockRequest topology.
             * @member {Uint8Array} topology
             * @memberof netfold.mesh.ClockRequest
             * @instance
             */
            ClockRequest.prototype.topology = $util.newBuffer([]);

            /**
             * Encodes the specified ClockRequest message. Does not implicitly {@link netfold.mesh.ClockRequest.verify|verify} messages.
             * @function encode
             * @memberof netfold.mesh.ClockRequest
             * @static
             * @param {netfold.mesh.ClockRequest.$Properties} message ClockRequest message or plain object to encode
             * @param {$protobuf.Writer} [writer] Writer to encode to
             * @returns {$protobuf.Writer} Writer
             */
            ClockRequest.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.topology != null && $Object.hasOwnProperty.call(message, "topology") && message.topology.length)
                    writer.uint32(/* id 1, wireType 2 =*/10).bytes(message.topology);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            /**
             * Decodes a ClockRequest message from the specified reader or buffer.
             * @function decode
             * @memberof netfold.mesh.ClockRequest
             * @static
             * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
             * @param {number} [length] Message length if known beforehand
             * @returns {netfold.mesh.ClockRequest & netfold.mesh.ClockRequest.$Shape} ClockRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            ClockRequest.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.netfold.mesh.ClockRequest();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.topology = value;
                            else
                                delete message.topology;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            return ClockRequest;
        })();

        mesh.ClockReply = (function() {

            /**
             * Properties of a ClockReply.
             * @typedef {Object} netfold.mesh.ClockReply.$Properties
             * @property {number|null} [incarnation] ClockReply incarnation
             * @property {boolean|null} [timed] ClockReply timed
             * @property {number|null} [received] ClockReply received
             * @property {number|null} [sent] ClockReply sent
             * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
             */

            /**
             * Properties of a ClockReply.
             * @memberof netfold.mesh
             * @interface IClockReply
             * @augments netfold.mesh.ClockReply.$Properties
             * @deprecated Use netfold.mesh.ClockReply.$Properties instead.
             */

            /**
             * Shape of a ClockReply.
             * @typedef {netfold.mesh.ClockReply.$Properties} netfold.mesh.ClockReply.$Shape
             */

            /**
             * Constructs a new ClockReply.
             * @memberof netfold.mesh
             * @classdesc Represents a ClockReply.
             * @constructor
             * @param {netfold.mesh.ClockReply.$Properties=} [properties] Properties to set
             * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
             */
            const ClockReply = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            /**
             * ClockReply incarnation.
             * @member {number} incarnation
             * @memberof netfold.mesh.ClockReply
             * @instance
             */
            ClockReply.prototype.incarnation = 0;

            /**
             * ClockReply timed.
             * @member {boolean} timed
             * @memberof netfold.mesh.ClockReply
             * @instance
             */
            ClockReply.prototype.timed = false;

            /**
             * ClockReply received.
             * @member {number} received
             * @memberof netfold.mesh.ClockReply
             * @instance
             */
            ClockReply.prototype.received = 0;

            /**
             * ClockReply sent.
             * @member {number} sent
             * @memberof netfold.mesh.ClockReply
             * @instance
             */
            ClockReply.prototype.sent = 0;

            /**
             * Encodes the specified ClockReply message. Does not implicitly {@link netfold.mesh.ClockReply.verify|verify} messages.
             * @function encode
             * @memberof netfold.mesh.ClockReply
             * @static
             * @param {netfold.mesh.ClockReply.$Properties} message ClockReply message or plain object to encode
             * @param {$protobuf.Writer} [writer] Writer to encode to
             * @returns {$protobuf.Writer} Writer
             */
            ClockReply.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.incarnation != null && $Object.hasOwnProperty.call(message, "incarnation") && !$Object.is(message.incarnation, 0))
                    writer.uint32(/* id 1, wireType 1 =*/9).double(message.incarnation);
                if (message.timed != null && $Object.hasOwnProperty.call(message, "timed") && message.timed !== false)
                    writer.uint32(/* id 2, wireType 0 =*/16).bool(message.timed);
                if (message.received != null && $Object.hasOwnProperty.call(message, "received") && !$Object.is(message.received, 0))
                    writer.uint32(/* id 3, wireType 1 =*/25).double(message.received);
                if (message.sent != null && $Object.hasOwnProperty.call(message, "sent") && !$Object.is(message.sent, 0))
                    writer.uint32(/* id 4, wireType 1 =*/33).double(message.sent);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            /**
             * Decodes a ClockReply message from the specified reader or buffer.
             * @function decode
             * @memberof netfold.mesh.ClockReply
             * @static
             * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
             * @param {number} [length] Message length if known beforehand
             * @returns {netfold.mesh.ClockReply & netfold.mesh.ClockReply.$Shape} ClockReply
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            ClockReply.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.netfold.mesh.ClockReply();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.incarnation = value;
                            else
                                delete message.incarnation;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.bool())
                                message.timed = value;
                            else
                                delete message.timed;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.received = value;
                            else
                                delete message.received;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 1)
                                break;
                            if (!$Object.is(value = reader.double(), 0))
                                message.sent = value;
                            else
                                delete message.sent;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            return ClockReply;
        })();

        return mesh;
    })();

    return netfold;
})();

export {
  $root as default
};
