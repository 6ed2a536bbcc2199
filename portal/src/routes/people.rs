//! The people of the visitor's company, for its master administration user.

use axum::http::Method;
use axum::routing::{get, post};
use policies::access::Action;

use super::{Route, Rule, on};
use crate::pages::people;

const PEOPLE: Rule = Rule::May(Action::ManagePeople);

pub(super) const ROUTES: &[Route] = &[
    on(Method::GET, "/people", PEOPLE, || get(people::page)),
    on(Method::GET, "/people/new", PEOPLE, || get(people::ask)),
    on(Method::POST, "/people/new", PEOPLE, || post(people::add)),
    on(Method::GET, "/people/file", PEOPLE, || get(people::ask_file)),
    on(Method::POST, "/people/file", PEOPLE, || post(people::look)),
    on(Method::POST, "/people/file/apply", PEOPLE, || post(people::apply)),
    on(Method::GET, "/people/users.csv", PEOPLE, || get(people::users)),
    on(Method::GET, "/people/permissions.csv", PEOPLE, || get(people::permissions)),
    on(Method::GET, "/people/several", PEOPLE, || get(people::ask_several)),
    on(Method::POST, "/people/several", PEOPLE, || post(people::give_several)),
    on(Method::GET, "/people/{user}/permissions", PEOPLE, || get(people::grid)),
    on(Method::POST, "/people/{user}/permissions", PEOPLE, || post(people::save_grid)),
    on(Method::GET, "/people/{user}", PEOPLE, || get(people::show)),
    on(Method::POST, "/people/{user}", PEOPLE, || post(people::change)),
    on(Method::POST, "/people/{user}/{step}", PEOPLE, || post(people::step)),
];
