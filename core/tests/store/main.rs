//! The whole store through crashes, kills, bad input, and readers while it moves.

#[cfg(test)]
mod asking;
#[cfg(test)]
mod bad;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod encryption;
#[cfg(test)]
mod follow;
#[cfg(test)]
mod index;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod machine;
#[cfg(test)]
mod proof;
#[cfg(test)]
mod quarantine;
#[cfg(test)]
mod readers;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tamper;
#[cfg(test)]
mod upkeep;
