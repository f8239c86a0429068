"""Addresses of sign-in, the own account, members and keys; `platform` is mounted at /platform/."""

from django.urls import URLPattern, path

from workspaces.views import (
    account,
    home,
    invitations,
    keys,
    members,
    passwords,
    settings,
    sign_in,
    users,
)
from workspaces.views import platform as master

HERE = "w/<slug:workspace>/"

app_name = "workspaces"
urlpatterns: list[URLPattern] = [
    path("", home.Home.as_view(), name="home"),
    path("choose/", home.Choose.as_view(), name="choose"),
    path("sign-in/", sign_in.SignIn.as_view(), name="sign_in"),
    path("sign-out/", sign_in.SignOut.as_view(), name="sign_out"),
    path("sign-in/forgotten/", passwords.Forgotten.as_view(), name="forgotten"),
    path("sign-in/forgotten/sent/", passwords.LinkSent.as_view(), name="link_sent"),
    path("sign-in/reset/<str:uidb64>/<str:token>/", passwords.Reset.as_view(), name="reset"),
    path("invitations/", invitations.AcceptInvitation.as_view(), name="invitation"),
    path("invitations/<str:token>/", invitations.OpenInvitation.as_view(), name="open_invitation"),
    path("me/", account.Account.as_view(), name="account"),
    path("me/password/", account.Password.as_view(), name="password"),
    path("me/sessions/", account.Sessions.as_view(), name="sessions"),
    path(f"{HERE}members/", members.Members.as_view(), name="members"),
    path(f"{HERE}members/invite/", members.Invite.as_view(), name="invite"),
    path(f"{HERE}members/<int:user_id>/role/", members.ChangeRole.as_view(), name="change_role"),
    path(
        f"{HERE}members/<int:user_id>/remove/",
        members.RemoveMember.as_view(),
        name="remove_member",
    ),
    path(
        f"{HERE}members/invitations/<int:invitation_id>/again/",
        members.InviteAgain.as_view(),
        name="invite_again",
    ),
    path(
        f"{HERE}members/invitations/<int:invitation_id>/revoke/",
        members.RevokeInvitation.as_view(),
        name="revoke_invitation",
    ),
    path(
        f"{HERE}members/requests/<int:join_request_id>/accept/",
        members.AcceptRequest.as_view(),
        name="accept_request",
    ),
    path(
        f"{HERE}members/requests/<int:join_request_id>/refuse/",
        members.RefuseRequest.as_view(),
        name="refuse_request",
    ),
    path(f"{HERE}keys/", keys.Keys.as_view(), name="keys"),
    path(f"{HERE}keys/new/", keys.NewKey.as_view(), name="new_key"),
    path(f"{HERE}keys/<int:key_id>/revoke/", keys.RevokeKey.as_view(), name="revoke_key"),
    path(f"{HERE}settings/", settings.Settings.as_view(), name="settings"),
]
platform: list[URLPattern] = [
    path("", master.Overview.as_view(), name="overview"),
    path("workspaces/", master.Workspaces.as_view(), name="workspaces"),
    path("workspaces/new/", master.NewWorkspace.as_view(), name="new_workspace"),
    path("workspaces/<slug:slug>/weight/", master.Weight.as_view(), name="weight"),
    path("workspaces/<slug:slug>/suspend/", master.Suspend.as_view(), name="suspend"),
    path("workspaces/<slug:slug>/resume/", master.Resume.as_view(), name="resume"),
    path("workspaces/<slug:slug>/enter/", master.Enter.as_view(), name="enter"),
    path("workspaces/<slug:slug>/leave/", master.Leave.as_view(), name="leave"),
    path("users/", users.Users.as_view(), name="users"),
    path("users/new/", users.NewUser.as_view(), name="new_user"),
    path("users/<int:user_id>/link/", users.SendLink.as_view(), name="send_link"),
    path("users/<int:user_id>/disable/", users.Disable.as_view(), name="disable_user"),
    path("users/<int:user_id>/enable/", users.Enable.as_view(), name="enable_user"),
    path("users/<int:user_id>/super-admin/", users.ChangeSuperAdmin.as_view(), name="super_admin"),
]
