mod fixture;
mod running;
mod sandbox;
mod tables;
