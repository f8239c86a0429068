"""Addresses: what subscribers wrote, and the words by which they stop."""

from django.urls import URLPattern, path

from campaigns.views import replies, stop_words

urlpatterns: list[URLPattern] = [
    path("replies/", replies.Replies.as_view(), name="replies"),
    path("replies/find/", replies.FindReplies.as_view(), name="reply_find"),
    path("replies/export/", replies.ExportReplies.as_view(), name="replies_export"),
    path("replies/<int:reply_id>/", replies.Reply.as_view(), name="reply"),
    path("replies/<int:reply_id>/reveal/", replies.RevealReply.as_view(), name="reply_reveal"),
    path("replies/<int:reply_id>/assign/", replies.AssignReply.as_view(), name="reply_assign"),
    path("replies/<int:reply_id>/opt-out/", replies.OptOutWriter.as_view(), name="reply_opt_out"),
    path("optouts/words/", stop_words.OwnWords.as_view(), name="stop_words"),
    path(
        "optouts/words/<int:word_id>/remove/",
        stop_words.RemoveOwnWord.as_view(),
        name="stop_word_remove",
    ),
]
