// Field numbers of drover.peer.v1.Frame and Item, for those who write and read them; within a body they stand where it is coded.
#ifndef DROVER_COORD_SERVER_PEER_FIELDS_H_
#define DROVER_COORD_SERVER_PEER_FIELDS_H_

#include <cstdint>

#include "coord/raft/messages.h"
#include "coord/server/peer_frame.h"

namespace drover::coord::server::peer_fields {

// Of Frame, and of Item.
inline constexpr std::uint32_t kItems = 8;
inline constexpr std::uint32_t kAddress = 9;
inline constexpr std::uint32_t kLevelMax = 10;
inline constexpr std::uint32_t kLevelPromised = 11;
inline constexpr std::uint32_t kLevelWish = 12;
inline constexpr std::uint32_t kTerm = 1;
// The field of Item that holds a Body.
template <typename Body>
inline constexpr std::uint32_t kField = 0;
template <>
inline constexpr std::uint32_t kField<raft::PreVote> = 2;
template <>
inline constexpr std::uint32_t kField<raft::PreVoteReply> = 3;
template <>
inline constexpr std::uint32_t kField<raft::Vote> = 4;
template <>
inline constexpr std::uint32_t kField<raft::VoteReply> = 5;
template <>
inline constexpr std::uint32_t kField<raft::Append> = 6;
template <>
inline constexpr std::uint32_t kField<raft::AppendReply> = 7;
template <>
inline constexpr std::uint32_t kField<raft::TimeoutNow> = 8;
template <>
inline constexpr std::uint32_t kField<raft::ReadIndexAsk> = 9;
template <>
inline constexpr std::uint32_t kField<raft::ReadIndexReply> = 10;
template <>
inline constexpr std::uint32_t kField<Forward> = 20;
template <>
inline constexpr std::uint32_t kField<Touch> = 21;
template <>
inline constexpr std::uint32_t kField<TouchAck> = 22;
template <>
inline constexpr std::uint32_t kField<SnapshotChunk> = 23;
template <>
inline constexpr std::uint32_t kField<SnapshotAck> = 24;
template <>
inline constexpr std::uint32_t kField<Hello> = 30;
template <>
inline constexpr std::uint32_t kField<Found> = 31;
template <>
inline constexpr std::uint32_t kField<Standing> = 32;

}  // namespace drover::coord::server::peer_fields

#endif  // DROVER_COORD_SERVER_PEER_FIELDS_H_
